// One track (one party's voice, one channel) into Ogg Opus (RFC 7845), cut so that each sealed chunk is one page.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>

#include "callvault/audio.h"
#include "callvault/result.h"

namespace callvault::codec {

// Every page is exactly this long, whatever was said: sizes tell nothing, and page n lies at n * kPageBytes.
// The first is the two header pages of Ogg Opus together; all of them, one after the other, are an .opus file.
inline constexpr std::size_t kPageBytes = 1024;

// `page` is kPageBytes long and valid during the call only; `last` is true once, from finish().
using EmitPage = std::function<Result<void>(std::span<const std::byte> page, bool last)>;

// bit/s when none is asked for: 16,000 at 8 kHz, 24,000 at 12 and 16 kHz, 32,000 at 24 kHz, 40,000 at 48 kHz.
std::uint32_t default_bitrate(std::uint32_t rate_hz);

class TrackEncoder {
 public:
  // Errc::usage unless the rate is one of Opus', bitrate 6,000..256,000 and complexity 0..10.
  static Result<TrackEncoder> make(std::uint32_t rate_hz, const EncoderOptions& options);

  TrackEncoder(TrackEncoder&&) noexcept;
  TrackEncoder& operator=(TrackEncoder&&) noexcept;
  ~TrackEncoder();

  // Mono samples, any number of them. Calls `emit` for each finished page; the header page comes with the first call.
  // A page holds at most 1 s. An error of `emit` is returned, and the encoder must not be used further.
  Result<void> add(std::span<const std::int16_t> mono, const EmitPage& emit);
  // Encodes what is left and marks the end (RFC 7845 sec. 4.4: the decoded track is as long as what was added).
  // REQUIRES: called once, nothing added afterwards.
  Result<void> finish(const EmitPage& emit);

  std::uint64_t samples_in() const;       // at rate_hz
  std::uint64_t samples_emitted() const;  // of these, decodable from the pages emitted so far

 private:
  struct State;
  explicit TrackEncoder(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace callvault::codec
