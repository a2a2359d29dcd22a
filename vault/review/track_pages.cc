#include "review/track_pages.h"

#include <algorithm>

namespace callvault::review {
namespace {

constexpr std::uint64_t kAheadPages = 64;

}  // namespace

Result<TrackPages> TrackPages::join(std::vector<Segment> segments) {
  TrackPages out(std::move(segments));
  const bool silent = std::all_of(out.segments_.begin(), out.segments_.end(),
                                  [](const Segment& s) { return s.reader.chunk_count() == 0; });
  for (std::size_t i = 0; i < out.segments_.size(); ++i) {
    const Segment& s = out.segments_[i];
    if (s.first_page > out.total_) {
      // What lies between two segments was lost: what follows cannot be placed, so the track ends here.
      out.segments_.erase(out.segments_.begin() + static_cast<std::ptrdiff_t>(i), out.segments_.end());
      out.incomplete_ = true;
      break;
    }
    out.total_ = s.first_page + s.pages;
  }
  if (out.total_ > 0) return out;
  if (out.incomplete_)
    return fail(Errc::corrupt, "the beginning of the track is missing, so what follows it cannot be placed");
  if (silent)
    return fail(Errc::corrupt,
                "the recording holds no audio: its recorder was cut off before the first second was safe");
  return fail(Errc::corrupt, "the recording holds no audio that authenticates");
}

Result<void> TrackPages::read_pages(std::uint64_t first, std::uint64_t count, base::MutableBytes out) {
  if (first + count > total_) return fail(Errc::unexpected, "a page past the end of the track");
  while (count > 0) {
    std::size_t at = 0;
    while (at + 1 < segments_.size() && segments_[at + 1].first_page <= first) ++at;
    Segment& s = segments_[at];
    const std::uint64_t end = at + 1 < segments_.size() ? segments_[at + 1].first_page : total_;
    const std::uint64_t n = std::min(count, end - first);
    CALLVAULT_TRY(s.reader.read_chunks(s.audio_key, first - s.first_page, n, out.first(n * codec::kPageBytes)));
    out = out.subspan(n * codec::kPageBytes);
    first += n;
    count -= n;
  }
  return {};
}

Result<void> TrackPages::read_page(std::uint64_t index, std::span<std::byte> out) {
  if (index < ahead_first_ || index >= ahead_first_ + ahead_count_) {
    const bool in_order = index == expected_;
    ahead_count_ = 0;
    std::uint64_t count = in_order ? std::min(kAheadPages, total_ - std::min(index, total_)) : 1;
    count = std::max<std::uint64_t>(count, 1);
    ahead_.resize(count * codec::kPageBytes);
    auto read = read_pages(index, count, ahead_);
    if (!read && read.error().code == Errc::corrupt && count > 1) {
      count = 1;  // damage ahead does not take away what stands before it
      read = read_pages(index, count, std::span(ahead_).first(codec::kPageBytes));
    }
    CALLVAULT_TRY(std::move(read));
    ahead_first_ = index;
    ahead_count_ = count;
  }
  const auto from = base::ByteView(ahead_).subspan((index - ahead_first_) * codec::kPageBytes, codec::kPageBytes);
  std::copy(from.begin(), from.end(), out.begin());
  expected_ = index + 1;
  return {};
}

}  // namespace callvault::review
