#include <algorithm>
#include <charconv>

#include "callvault/retention.h"

namespace callvault {
namespace {

constexpr std::int32_t kMaxYears = 100;
constexpr std::int32_t kMonthsPerYear = 12;
constexpr std::int32_t kMaxDays = 36525;  // 100 years

}  // namespace

Result<Period> Period::parse(std::string_view text) {
  const auto refuse = [] { return fail(Errc::usage, "a period must be like 30d, 6mo or 1y, from 1 day to 100 years"); };
  std::int32_t count = 0;
  const char* const end = text.data() + text.size();
  const auto [unit, error] = std::from_chars(text.data(), end, count);
  if (error != std::errc() || count < 1 || text.front() == '0') return refuse();
  const std::string_view word(unit, static_cast<std::size_t>(end - unit));
  Period period;
  if (word == "d" && count <= kMaxDays) {
    period.days = count;
  } else if (word == "mo" && count <= kMaxYears * kMonthsPerYear) {
    period.months = count;
  } else if (word == "y" && count <= kMaxYears) {
    period.months = count * kMonthsPerYear;
  } else {
    return refuse();
  }
  return period;
}

std::string Period::text() const {
  std::string out;
  if (months != 0 && months % kMonthsPerYear == 0) {
    out = std::to_string(months / kMonthsPerYear) + "y";
  } else if (months != 0) {
    out = std::to_string(months) + "mo";
  }
  if (days != 0 || months == 0) out += std::to_string(days) + "d";
  return out;
}

}  // namespace callvault
