// The register of notices as JSON text (docs/format/keys.md).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "callvault/notices.h"

namespace callvault::rights {

// Whether a text is UTF-8, and so comes back from JSON as it went in.
bool survives_json(std::string_view text);
// REQUIRES: each text survives.
std::string encode_notices(const std::vector<Notice>& notices);
// Ascending by their beginnings, no two in force at a time, each text with its own hash. Errors: corrupt,
// newer_version.
Result<std::vector<Notice>> decode_notices(std::string_view text);

}  // namespace callvault::rights
