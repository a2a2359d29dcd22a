// Where everything lies in a vault's folder. The map is in docs/ARCHITECTURE.md.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "callvault/call_record.h"

namespace callvault::base {

struct Layout {
  std::filesystem::path root;

  std::filesystem::path config() const { return root / "vault.toml"; }
  std::filesystem::path keys() const { return root / "keys"; }
  std::filesystem::path directory() const { return keys() / "directory"; }
  std::filesystem::path spare() const { return keys() / "spare"; }
  std::filesystem::path state_lock() const { return keys() / "lock"; }
  std::filesystem::path buckets() const { return keys() / "buckets"; }
  std::filesystem::path node(std::uint32_t bucket, std::uint64_t generation) const {
    return buckets() / (std::to_string(bucket) + "." + std::to_string(generation));
  }
  std::filesystem::path registers() const { return keys() / "registers"; }
  std::filesystem::path register_file(const std::string& name, std::uint64_t generation) const {
    return registers() / (name + "." + std::to_string(generation));
  }
  std::filesystem::path intake() const { return keys() / "intake"; }
  std::filesystem::path review_public() const { return keys() / "review.pub"; }
  std::filesystem::path people() const { return root / "people"; }
  std::filesystem::path incoming() const { return root / "incoming"; }
  std::filesystem::path recordings() const { return root / "recordings"; }
  std::filesystem::path journal() const { return root / "journal"; }
  std::filesystem::path catalog() const { return root / "catalog"; }
};

// <id>.<track>, or <id>.<track>.<segment> for a continuation; the recorder adds .part while it writes.
inline std::string sealed_file_name(const RecordingId& id, TrackName track, std::uint16_t segment) {
  std::string name = id.text() + "." + std::string(to_word(track));
  if (segment > 0) name += "." + std::to_string(segment);
  return name;
}

}  // namespace callvault::base
