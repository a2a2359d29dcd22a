// Whether people are kept from the keeper: they act through its service, from accounts of their own.
#pragma once

#include <string>
#include <vector>

#include "session.h"

namespace callvault {

struct Separation {
  os::Path socket;
  bool served = false;               // somebody has put a socket there
  std::vector<std::string> apart;    // bound to an account that can read nothing
  std::vector<std::string> at_home;  // bound to the vault's own account, or root's
  std::vector<std::string> unknown;  // bound to an account that the host does not know

  bool holds() const { return served && !apart.empty() && at_home.empty() && unknown.empty(); }
};

Separation separation_of(const Vault::Impl& vault);

}  // namespace callvault
