// Positions within a recording, as people type them.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "callvault/result.h"

namespace callvault::cli {

// MM:SS or HH:MM:SS, with up to three decimals of the second; Errc::usage, naming `what`, else.
// In MM:SS the minutes may exceed 59: "75:00".
Result<std::chrono::milliseconds> parse_position(std::string_view text, std::string_view what);

// "2026-11-23 14:05:11" out of RFC 3339, for tables: the zone is the vault's throughout.
std::string civil(std::string_view rfc3339);

}  // namespace callvault::cli
