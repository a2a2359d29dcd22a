// The pages of one track back into samples, from any point, reading only what that needs.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "callvault/result.h"
#include "codec/opus_encoder.h"

namespace callvault::codec {

// Where the opened chunks come from.
class PageSource {
 public:
  virtual ~PageSource() = default;
  virtual std::uint64_t page_count() const = 0;
  // REQUIRES: index < page_count(), out.size() == kPageBytes.
  virtual Result<void> read_page(std::uint64_t index, std::span<std::byte> out) = 0;
  // How long the track is, where another place than its last page tells that too.
  virtual std::optional<std::chrono::milliseconds> known_length() const { return std::nullopt; }
};

class TrackDecoder {
 public:
  // Decodes at `rate_hz`, mono, from sample 0. The source must outlive the decoder. Errors: usage for a rate Opus does
  // not have, corrupt for pages that TrackEncoder does not write; errors of the source are passed on. So for all below.
  static Result<TrackDecoder> open(PageSource& pages, std::uint32_t rate_hz);

  TrackDecoder(TrackDecoder&&) noexcept;
  TrackDecoder& operator=(TrackDecoder&&) noexcept;
  ~TrackDecoder();

  // The next read starts at exactly this sample; past the end is the end. Reads O(log n) pages, and decodes
  // 300 ms ahead of it so that the decoder has converged (RFC 7845 sec. 4.6).
  Result<void> seek(std::uint64_t sample);
  // Up to out.size() samples; 0 = end.
  Result<std::size_t> read(std::span<std::int16_t> out);

  std::uint64_t position() const;    // of the next sample
  std::uint64_t pages_read() const;  // since open
  // Exact for a finished track; what its last page says for an interrupted one. When that page is damaged, what the
  // source knows of the length.
  Result<std::uint64_t> total_samples();

 private:
  struct State;
  explicit TrackDecoder(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace callvault::codec
