#include "cli/time.h"

#include <fmt/format.h>

#include "cli/text.h"

namespace callvault::cli {
namespace {

// The value of 1 to `most` decimal digits, else -1.
long digits(std::string_view text, std::size_t most) {
  if (text.empty() || text.size() > most) return -1;
  long value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return -1;
    value = value * 10 + (c - '0');
  }
  return value;
}

}  // namespace

Result<std::chrono::milliseconds> parse_position(std::string_view text, std::string_view what) {
  const Error bad = fail(Errc::usage, fmt::format("{} must be MM:SS or HH:MM:SS", what));
  std::string fraction;
  if (const auto dot = text.find('.'); dot != std::string_view::npos) {
    fraction = std::string(text.substr(dot + 1));
    if (digits(fraction, 3) < 0) return bad;
    text = text.substr(0, dot);
  }
  fraction.resize(3, '0');
  const auto parts = split(text, ':');
  if (parts.size() != 2 && parts.size() != 3) return bad;
  const bool with_hours = parts.size() == 3;
  const long hours = with_hours ? digits(parts[0], 4) : 0;
  const long minutes = digits(parts[with_hours ? 1 : 0], with_hours ? 2 : 5);
  const std::string& second_text = parts.back();
  const long seconds = second_text.size() == 2 ? digits(second_text, 2) : -1;
  if (hours < 0 || minutes < 0 || seconds < 0 || seconds > 59 || (with_hours && minutes > 59)) return bad;
  return std::chrono::milliseconds(((hours * 60 + minutes) * 60 + seconds) * 1000 + digits(fraction, 3));
}

std::string civil(std::string_view rfc3339) {
  if (rfc3339.size() < 19) return std::string(rfc3339);
  std::string out(rfc3339.substr(0, 19));
  out[10] = ' ';
  return out;
}

}  // namespace callvault::cli
