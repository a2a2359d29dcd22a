// For who must not take a disk that does not tell for an absent file.
#pragma once

#include "os/file.h"

namespace callvault::os {

// True also when it cannot be told.
inline bool may_exist(const Path& path) {
  const auto there = is_there(path);
  return !there || *there;
}

}  // namespace callvault::os
