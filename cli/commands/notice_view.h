#pragma once

#include "callvault/notices.h"
#include "callvault/vault.h"
#include "cli/output.h"

namespace callvault::cli {

JsonObject notice_json(const Notice& notice, const Vault& vault);
// When it is in force: "2026-11-01 00:00:00 to 2027-01-01 00:00:00".
std::string notice_span(const Notice& notice, const Vault& vault);
// Line by line, each escaped.
void print_notice_text(const std::string& text, Output& out);

}  // namespace callvault::cli
