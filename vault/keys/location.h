// Where the stores may be (S18, GDPR Art. 44): [location] of vault.toml names each store's place and the places that
// are allowed; the host says where it stands.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "callvault/result.h"

namespace callvault::keys {

struct Location {
  std::string vault, keeper;         // labels such as "RO"; empty: not said
  std::vector<std::string> allowed;  // empty: nothing is checked
  std::filesystem::path host_file = "/etc/callvault/location";
};

// Errors: refused when a store's label is missing, not allowed, or not the host's.
Result<void> check_location(const Location& location);

}  // namespace callvault::keys
