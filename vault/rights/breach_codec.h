// The text form of the register of breaches: JSON, docs/format/keys.md.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "callvault/breach.h"

namespace callvault::rights {

struct BreachesContent {
  std::vector<Breach> breaches;
  int year = 0;                   // of the last number given out
  std::uint64_t last_number = 0;  // in that year
};

std::string encode_breaches(const BreachesContent& content);
// Errors: corrupt, newer_version.
Result<BreachesContent> decode_breaches(std::string_view text);

}  // namespace callvault::rights
