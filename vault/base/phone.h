// Telephone numbers, as they are compared and indexed.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "callvault/result.h"

namespace callvault::base {

inline constexpr std::size_t kMaxNumberBytes = 128;

// One spelling per number, so that a person is found however they were written down.
// - E.164 with '+': spaces, dots, dashes, slashes and brackets dropped, "00" read as '+', and the "(0)" of
//   "+40 (0) 722 ..." left out. 7 to 15 digits.
// - National numbers, 0 and then 1..9, are completed with `country_code` ("40" or "+40"; empty: not completed).
//   0722... becomes +40722...
// - Anything else (112, a sip uri, "anonymous", too short or too long for E.164) is taken literally, without the
//   spaces around it.
// Idempotent. Errors: usage when over 128 bytes, or when `country_code` is none.
Result<std::string> normalise_number(std::string_view text, std::string_view country_code);

}  // namespace callvault::base
