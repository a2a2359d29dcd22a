// SIPREC recording metadata (RFC 7865), as `ingest --meta-file` takes it.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "callvault/result.h"

namespace callvault::cli {

inline constexpr std::size_t kMostSiprecBytes = 256 * 1024;

// The values that ingest's flags name: caller, called, agent, call_id, started_at. `given` holds those that the flags
// gave already: `direction` is needed, and numbers tell which participant is which. The rules: callvault-ingest(1).
// No document type is taken, so there are no entities. Errors: usage, naming the element; messages quote no value.
Result<std::map<std::string, std::string>> read_siprec(std::string_view text,
                                                       const std::map<std::string, std::optional<std::string>>& given);

}  // namespace callvault::cli
