// [service] of vault.toml: who may reach the keeper through its socket, and how often.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "os/file.h"

namespace callvault::keys {

struct ServicePolicy {
  std::optional<os::Path> socket;             // none: the usual one
  std::map<std::string, std::string> people;  // a person's name -> the account that may speak for them
  std::vector<std::string> may_record;        // accounts that may ask whether a number may be recorded, and no more
  std::uint32_t connections = 64;             // at once
  std::uint32_t requests_per_minute = 600;    // of an account; a command makes three or four
  std::uint32_t openings_per_minute = 10;     // of a person: play
  std::uint32_t listings_per_minute = 60;     // of a person: find, show, lists
};

}  // namespace callvault::keys
