#include "rights/numbering.h"

#include <charconv>

namespace callvault::rights {

std::string next_id(const context::Context& context, char letter, int& year, std::uint64_t& last_number) {
  int now = 0;
  const std::string day = base::day_text(context.zone.civil_day(context.now));
  std::from_chars(day.data(), day.data() + 4, now);
  if (now != year) last_number = 0;
  year = now;
  std::string digits = std::to_string(++last_number);
  if (digits.size() < 4) digits.insert(0, 4 - digits.size(), '0');
  return std::string(1, letter) + "-" + std::to_string(year) + "-" + digits;
}

}  // namespace callvault::rights
