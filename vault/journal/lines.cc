#include "journal/lines.h"

#include <algorithm>

namespace callvault::journal {
namespace {

constexpr std::size_t kChunkBytes = std::size_t{1} << 18;

}  // namespace

Result<std::optional<std::string_view>> LineReader::next() {
  taken_ = 0;
  std::size_t searched = used_;
  while (true) {
    const auto at = buffer_.find('\n', searched);
    if (at != std::string::npos) {
      const std::string_view line = std::string_view(buffer_).substr(used_, at - used_);
      if (line.size() > kMaxLineBytes) break;
      taken_ = line.size() + 1;
      start_ += taken_;
      used_ = at + 1;
      return std::optional(line);
    }
    if (buffer_.size() - used_ > kMaxLineBytes) break;
    buffer_.erase(0, std::exchange(used_, 0));
    searched = buffer_.size();
    const std::uint64_t from = start_ + buffer_.size();
    const auto want = static_cast<std::size_t>(std::min<std::uint64_t>(kChunkBytes, limit_ - std::min(limit_, from)));
    buffer_.resize(searched + want);
    CALLVAULT_TRY_ASSIGN(const auto got,
                         file_.read_at(std::as_writable_bytes(std::span(buffer_).subspan(searched)), from));
    buffer_.resize(searched + got);
    if (got == 0) return std::optional<std::string_view>();
  }
  return fail(Errc::corrupt, "journal: a line that begins at byte " + std::to_string(start_) + " of " +
                                 file_.path().string() + " is longer than it can be");
}

}  // namespace callvault::journal
