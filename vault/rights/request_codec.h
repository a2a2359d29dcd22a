// The text form of the requests' register: JSON, docs/format/keys.md.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "callvault/rights.h"

namespace callvault::rights {

struct RequestsContent {
  std::vector<Request> requests;
  int year = 0;                   // of the last number given out
  std::uint64_t last_number = 0;  // in that year
};

std::string encode_requests(const RequestsContent& content);
// Errors: corrupt, newer_version.
Result<RequestsContent> decode_requests(std::string_view text);

}  // namespace callvault::rights
