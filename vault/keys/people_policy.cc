#include "keys/people_policy.h"

namespace callvault::keys {

std::set<Purpose> PeoplePolicy::purposes_of(std::uint8_t roles) const {
  std::set<Purpose> out;
  for (const auto& [role, allowed] : purposes)
    if ((roles & static_cast<std::uint8_t>(role)) != 0) out.insert(allowed.begin(), allowed.end());
  return out;
}

}  // namespace callvault::keys
