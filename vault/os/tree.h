// How much lies below a folder.
#pragma once

#include <cstdint>

#include "os/file.h"

namespace callvault::os {

struct TreeSize {
  std::uint64_t files = 0, bytes = 0;
};
// Regular files, links not followed; a missing folder holds nothing, and what vanishes meanwhile is passed over.
// Errors: io, refused.
Result<TreeSize> size_of_tree(const Path& folder);

}  // namespace callvault::os
