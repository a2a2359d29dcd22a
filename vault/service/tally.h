// How often who did what of late.
#pragma once

#include <chrono>
#include <map>
#include <string>

namespace callvault::service {

enum class Verdict : std::uint8_t {
  within,
  over_first,  // over the limit for the first time in this minute: to be journalled
  over,
};

// Counts by the minute that begins with the first.
class Tally {
 public:
  using Instant = std::chrono::steady_clock::time_point;
  Verdict count(const std::string& what, std::uint32_t limit, Instant now);

 private:
  struct Minute {
    Instant began;
    std::uint32_t counted = 0;
  };
  std::map<std::string, Minute, std::less<>> minutes_;
};

}  // namespace callvault::service
