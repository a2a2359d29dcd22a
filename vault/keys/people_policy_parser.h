// Reads [roles] and what [policy] says of people. Apart, so that only the readers of vault.toml see the parser's types.
#pragma once

#include <toml++/toml.h>

#include "keys/people_policy.h"

namespace callvault::keys {

// Errors: corrupt, naming the key.
Result<PeoplePolicy> parse_people_policy(const toml::table& config);

}  // namespace callvault::keys
