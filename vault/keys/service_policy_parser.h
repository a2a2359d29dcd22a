#pragma once

#include <toml++/toml.h>

#include "callvault/result.h"
#include "keys/service_policy.h"

namespace callvault::keys {

// The whole of vault.toml's table [service]; none is the default. Errc::corrupt, naming the key.
Result<ServicePolicy> parse_service_policy(const toml::table& root);

}  // namespace callvault::keys
