// What to do next about an error. Kept here, since hints name commands and flags.
#pragma once

#include <string>
#include <string_view>

#include "callvault/error.h"

namespace callvault::cli {

// `command` is the command's full name ("person add"), or empty before one is known.
std::string hint_for(const Error& error, std::string_view command);

}  // namespace callvault::cli
