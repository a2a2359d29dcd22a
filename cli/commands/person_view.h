// A person as programs and people see them.
#pragma once

#include <string>
#include <vector>

#include "callvault/vault.h"
#include "cli/json.h"

namespace callvault::cli {

std::vector<std::string> role_words(const std::vector<Role>& roles);
JsonObject person_json(const PersonInfo& info, const Vault& vault);

}  // namespace callvault::cli
