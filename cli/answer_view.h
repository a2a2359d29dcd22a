// The answer to a request for access, as a document.
#pragma once

#include <string>

#include "callvault/subjects.h"

namespace callvault::cli {

// One JSON object on one line, or text for people to read; either ends with a newline.
std::string answer_json(const Answer& answer, const Vault& vault);
std::string answer_text(const Answer& answer, const Vault& vault);

}  // namespace callvault::cli
