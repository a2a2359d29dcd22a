// What a catalogue row says of one recording, sealed under a key from the recording's s_0 (docs/format/catalog.md).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "callvault/call_record.h"
#include "crypto/secret.h"

namespace callvault::catalog {

using base::Bytes;
using base::ByteView;

inline constexpr std::size_t kMaxRowText = 4096;  // bytes of each text
inline constexpr std::size_t kMaxRowTracks = 1024;
inline constexpr std::size_t kRowBlock = 64;  // plaintexts are padded to a multiple, so that sizes say little

struct Row {
  Direction direction = Direction::in;
  std::string caller, called, agent, call_id, notice;
  std::optional<bool> notice_played;
  std::optional<Time> ended_at;
  std::optional<std::uint64_t> duration_ms;
  Flags flags;
  std::vector<Track> tracks;
};

// Errors: usage when a text or the number of tracks is beyond its bound; unexpected without locked memory.
Result<Bytes> seal_row(const Row& row, const crypto::Key& recording_secret, const RecordingId& id);
// Errors: corrupt when it does not authenticate under this secret and id, or does not decode.
Result<Row> open_row(ByteView sealed, const crypto::Key& recording_secret, const RecordingId& id);

// The plaintext form. `decode_row` takes any bytes; what it accepts, `encode_row` writes again byte for byte.
Result<Bytes> encode_row(const Row& row);
Result<Row> decode_row(ByteView plain);

}  // namespace callvault::catalog
