// Which kind of keeper lies in a folder.
#pragma once

#include <memory>

#include "keys/keeper.h"
#include "os/file.h"

namespace callvault::keys {

// Errors: not_found when there is none; those of its kind.
Result<std::unique_ptr<Keeper>> open_keeper(const os::Path& folder);
// Undoes the making of one, when the vault it was for could not be made.
void take_back_keeper(const os::Path& folder);

}  // namespace callvault::keys
