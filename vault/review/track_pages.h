// One track's opened pages over all its segments, as the decoder wants them.
#pragma once

#include <chrono>
#include <optional>
#include <vector>

#include "codec/opus_decoder.h"
#include "codec/opus_encoder.h"
#include "sealed/reader.h"

namespace callvault::review {

class TrackPages final : public codec::PageSource {
 public:
  struct Segment {
    sealed::Reader reader;
    crypto::Key audio_key;
    std::uint64_t first_page = 0;                        // of the track; pages before it come from the earlier segments
    std::uint64_t pages = 0;                             // that authenticate, as far as is known
    std::optional<std::chrono::milliseconds> ends_at{};  // of the track, when its trailer tells the whole truth
  };

  // REQUIRES: segments in order, at least one. Ends where one is missing. Errors: corrupt when nothing is left.
  static Result<TrackPages> join(std::vector<Segment> segments);

  std::uint64_t page_count() const override { return total_; }
  std::optional<std::chrono::milliseconds> known_length() const override {
    return incomplete_ ? std::nullopt : segments_.back().ends_at;
  }
  // Reads ahead when pages are asked for in order, else exactly one.
  Result<void> read_page(std::uint64_t index, std::span<std::byte> out) override;
  // Several pages at once: count * kPageBytes bytes.
  Result<void> read_pages(std::uint64_t first, std::uint64_t count, base::MutableBytes out);
  // True when a segment is missing: the track ends before it.
  bool incomplete() const { return incomplete_; }

 private:
  explicit TrackPages(std::vector<Segment> segments) : segments_(std::move(segments)) {}

  std::vector<Segment> segments_;
  std::uint64_t total_ = 0;
  bool incomplete_ = false;
  base::Bytes ahead_;
  std::uint64_t ahead_first_ = 0, ahead_count_ = 0, expected_ = 0;
};

}  // namespace callvault::review
