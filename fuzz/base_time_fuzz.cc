// Dates, periods and telephone numbers as people type them: what is read is written in one way that is read as the
// same.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "base/civil_time.h"
#include "base/phone.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace callvault;
  static const auto zone = base::Zone::find("Europe/Bucharest");
  if (!zone) std::abort();
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto day = base::parse_day(text); day && base::day_text(*day) != text) std::abort();
  if (const auto time = base::parse_utc(text); time && base::utc_text(*time) != text) std::abort();
  if (const auto time = zone->parse(text)) {
    const auto again = zone->parse(zone->rfc3339(*time));
    if (!again || *again != *time) std::abort();
  }
  if (const auto period = Period::parse(text)) {
    const auto again = Period::parse(period->text());
    if (!again || !(*again == *period)) std::abort();
  }
  if (const auto number = base::normalise_number(text, "+40")) {
    const auto again = base::normalise_number(*number, "+40");
    if (!again || *again != *number) std::abort();
  }
  return 0;
}
