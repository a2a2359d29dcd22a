// A person as programs and people see them.
#pragma once

#include <string>
#include <vector>

#include "callvault/vault.h"
#include "cli/json.h"

namespace callvault::cli {

std::vector<std::string> role_words(const std::vector<Role>& roles);
std::vector<std::string> purpose_words(const std::vector<Purpose>& purposes);
// Whether they may act, for people.
std::string state_words(const PersonInfo& info);
JsonObject person_json(const PersonInfo& info, const Vault& vault);

}  // namespace callvault::cli
