// A zone file of a damaged host, and the rule at its end: refused, or every instant lies in a span of its own.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <string_view>

#include "base/zone_file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace callvault::base;
  const auto check = [](const auto& rules) {
    for (const std::int64_t day : {-719'000, -1, 0, 20'000, 20'178, 84'000, 2'932'000}) {
      const Seconds at{std::chrono::hours(24 * day)};
      const OffsetSpan span = rules.span_at(at);
      if (!(span.begin <= at && at < span.end) || span.offset > std::chrono::hours(26) ||
          span.offset < -std::chrono::hours(26))
        std::abort();
    }
  };
  if (const auto rules = ZoneRules::parse(std::as_bytes(std::span(data, size)))) check(*rules);
  if (const auto rule = YearlyRule::parse({reinterpret_cast<const char*>(data), size})) check(*rule);
  return 0;
}
