// Which kind of keeper lies in a folder.
#pragma once

#include <memory>

#include "keys/keeper.h"
#include "os/file.h"

namespace callvault::keys {

// Errors: not_found when there is none; those of its kind.
Result<std::unique_ptr<Keeper>> open_keeper(const os::Path& folder);
// Stands for a first keeper that is not there: whatever is asked of it fails with `why`, and a mirror is used.
std::unique_ptr<Keeper> lost_keeper(const os::Path& folder, Error why);
// Undoes the making of one, when the vault it was for could not be made.
void take_back_keeper(const os::Path& folder);

}  // namespace callvault::keys
