// Numbers of an office's files: "R-2026-0001", counted anew each year and never given out twice.
#pragma once

#include <cstdint>
#include <string>

#include "context/context.h"

namespace callvault::rights {

// The next one at the context's instant; `year` and `last_number` are what was given out last, and are moved on.
std::string next_id(const context::Context& context, char letter, int& year, std::uint64_t& last_number);

}  // namespace callvault::rights
