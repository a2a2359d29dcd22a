#include "service/tally.h"

namespace callvault::service {
namespace {

constexpr std::chrono::minutes kWindow{1};
constexpr std::size_t kMostKept = 1024;

}  // namespace

Verdict Tally::count(const std::string& what, std::uint32_t limit, Instant now) {
  if (minutes_.size() >= kMostKept)
    std::erase_if(minutes_, [&](const auto& m) { return now - m.second.began >= kWindow; });
  auto& minute = minutes_[what];
  if (minute.counted == 0 || now - minute.began >= kWindow) minute = {now, 0};
  if (minute.counted < limit) {
    ++minute.counted;
    return Verdict::within;
  }
  if (minute.counted > limit) return Verdict::over;
  ++minute.counted;
  return Verdict::over_first;
}

}  // namespace callvault::service
