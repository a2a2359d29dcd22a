// How a request is shown.
#pragma once

#include "callvault/vault.h"
#include "cli/output.h"

namespace callvault::cli {

JsonObject request_json(const Request& request, const Vault& vault);
// What was done with it, and what is to be told next.
void print_request(const Request& request, const Vault& vault, Output& out);

}  // namespace callvault::cli
