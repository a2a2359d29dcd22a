// What a key state knows, as files: the list a backup is made by, and a restore.
#pragma once

#include <compare>
#include <functional>
#include <string>
#include <vector>

#include "context/context.h"

namespace callvault::backups {

// A sealed file of a registered recording.
struct SealedFile {
  RecordingId id;
  TrackName track = TrackName::mixed;
  std::uint16_t segment = 0;
  std::int32_t day = 0;
  std::uint32_t bucket = 0;
  bool in_progress = false;
  bool done = false;  // it is in the backup

  std::string name() const { return base::sealed_file_name(id, track, segment); }
  os::Path in(const base::Layout& layout) const { return context::recording_folder(layout, day) / name(); }
  std::strong_ordering operator<=>(const SealedFile& other) const;
  bool operator==(const SealedFile& other) const { return (*this <=> other) == 0; }
};

struct Inventory {
  std::vector<SealedFile> files;      // ascending
  std::vector<std::string> problems;  // nodes that cannot be read: then `files` is not all there is

  // Nothing when there is no such recording, track and segment.
  const SealedFile* find(const SealedFile& file) const;
};
Inventory take_inventory(const keys::KeyState& state);

// The immutable files of keys/ that a directory names.
struct KeyFile {
  std::string name;  // below keys/: "buckets/7.3"
  crypto::Digest hash{};
  std::uint64_t max_bytes = 0;
  std::uint32_t recordings = 0;
};
std::vector<KeyFile> key_files_of(const keys::Directory& directory);
// Its bytes. Errors: not_found, corrupt when they are not those that were committed, io.
Result<base::Bytes> read_key_file(const base::Layout& layout, const KeyFile& file);

}  // namespace callvault::backups
