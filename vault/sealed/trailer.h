// The trailer: written once, when a track is complete, or when a dead recorder's file is recovered.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <string_view>

#include "sealed/header.h"

namespace callvault::sealed {

struct Trailer {
  Time ended_at{};
  std::chrono::milliseconds duration{};  // of the audio in this file
  std::uint64_t chunks = 0;
  bool truncated = false;
  bool interrupted = false;
  Digest chunk_hash{};  // BLAKE2b-256 of all sealed chunk bytes
  // Keyed BLAKE2b (audio_hash_key) of the track's PCM as read, over all its segments; zeros = not known.
  Digest audio_hash{};
  bool operator==(const Trailer&) const = default;
};

using TrailerBytes = std::array<std::byte, kTrailerBytes>;

Result<TrailerBytes> seal_trailer(const Header& header, const Key& recording_secret, const Trailer& trailer);
// Errc::corrupt.
Result<Trailer> open_trailer(const Header& header, const Key& recording_secret, ByteView bytes);

// Repeated call ids are told apart by what was said. Without the call id the hash says nothing of two equal recordings.
Result<Key> audio_hash_key(std::string_view call_id);

}  // namespace callvault::sealed
