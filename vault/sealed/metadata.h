// What a header says of the call, under s_0: everything here is personal data and dies with the recording.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "callvault/call_record.h"
#include "callvault/result.h"

namespace callvault::sealed {

inline constexpr std::size_t kMaxTextBytes = 128;      // numbers, agent, call id, notice
inline constexpr std::size_t kMaxClassNameBytes = 32;  // a-z, 0-9, '-'
inline constexpr std::size_t kMaxMethodBytes = 32;
inline constexpr std::uint64_t kMaxConsentOffsetMs = 24 * 60 * 60 * std::uint64_t{1000};
inline constexpr std::uint32_t kMinSampleRate = 8'000;  // Hz
inline constexpr std::uint32_t kMaxSampleRate = 48'000;

struct CallMetadata {
  Time started_at{};  // of the call, in every segment of it
  Direction direction = Direction::in;
  std::string caller, called, agent, call_id;  // UTF-8 without control characters; empty = not known
  std::string retention_class = "default";
  std::string notice;
  std::optional<bool> notice_played;
  Consent consent = Consent::unknown;        // the caller's
  Consent agent_consent = Consent::unknown;  // the agent's
  // Where in the call the caller's was given, and how: a code of a-z, 0-9, '_', '-'. Empty = not known.
  std::optional<std::uint64_t> consent_offset_ms;
  std::string consent_method;
  Basis basis = Basis::consent;
  std::vector<TrackName> tracks;  // of the recording: each once, 1 to 2
  std::uint32_t sample_rate = 8'000;
  // Number of this file's first page in its track's Ogg stream: 0 but in continuations (segment > 0). A reader takes
  // pages first_page.. from this file, and only those before it from the earlier segments, which may hold more.
  std::uint64_t first_page = 0;
  std::uint64_t offset_ms = 0;  // where in the call that page's audio starts

  bool operator==(const CallMetadata&) const = default;
};

// Errc::usage, naming the field (never its content), when one is out of bounds.
Result<void> validate_metadata(const CallMetadata& metadata);
// JSON text. Errors as validate_metadata.
Result<std::string> encode_metadata(const CallMetadata& metadata);
// Errc::corrupt when it is not such a text or a field is out of bounds. Unknown fields are ignored.
Result<CallMetadata> decode_metadata(std::string_view text);

}  // namespace callvault::sealed
