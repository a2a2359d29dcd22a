// Comma-separated values, RFC 4180.
#pragma once

#include <string>
#include <vector>

namespace callvault::cli {

// Without its line end. A text that a spreadsheet would run as a formula gets an apostrophe in front; control
// characters are escaped as in everything that is printed.
std::string csv_line(const std::vector<std::string>& fields);

}  // namespace callvault::cli
