#include "base/phone.h"

#include <algorithm>

namespace callvault::base {
namespace {

constexpr std::size_t kMinDigits = 7;  // fewer are short codes
constexpr std::size_t kMaxDigits = 15;

bool all_digits(std::string_view text) { return text.find_first_not_of("0123456789") == std::string_view::npos; }

// The digits of a number with its country code, as they follow the '+'.
bool is_e164(std::string_view digits) {
  return digits.size() >= kMinDigits && digits.size() <= kMaxDigits && digits.front() != '0' && all_digits(digits);
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kSpaces = " \t\r\n\v\f";
  const auto first = text.find_first_not_of(kSpaces);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpaces) - first + 1);
}

std::string without_separators(std::string_view text) {
  std::string out;
  std::copy_if(text.begin(), text.end(), std::back_inserter(out),
               [](char c) { return std::string_view(" .-/()[]").find(c) == std::string_view::npos; });
  return out;
}

}  // namespace

Result<std::string> normalise_number(std::string_view text, std::string_view country_code) {
  if (text.size() > kMaxNumberBytes) return fail(Errc::usage, "a telephone number must be at most 128 bytes long");
  if (!country_code.empty() && country_code.front() == '+') country_code.remove_prefix(1);
  if (country_code.size() > 3 || !all_digits(country_code) || (!country_code.empty() && country_code.front() == '0'))
    return fail(Errc::usage, "a country code must be like +40");

  text = trimmed(text);
  std::string number = without_separators(text);
  const bool plus = number.starts_with('+');
  if (plus || number.starts_with("00")) {
    // "+40 (0) 722": the trunk prefix, which is not dialled from abroad.
    if (const auto trunk = text.find("(0)"); trunk != std::string_view::npos)
      number = without_separators(text.substr(0, trunk)) + without_separators(text.substr(trunk + 3));
    const auto digits =
        std::string_view(number).substr(std::min(number.size(), plus ? std::size_t{1} : std::size_t{2}));
    if (!digits.empty() && is_e164(digits)) return std::string("+").append(digits);
  } else if (number.starts_with('0') && !country_code.empty()) {
    // Italy's leading 0 belongs to the number.
    const auto national = std::string_view(number).substr(country_code == "39" ? 0 : 1);
    const auto digits = std::string(country_code).append(national);
    if (number.size() > 1 && is_e164(digits)) return "+" + digits;
  }
  return std::string(text);
}

}  // namespace callvault::base
