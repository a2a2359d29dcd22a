// A vault's folders, and what of them is shared with the accounts that record.
#pragma once

#include <string>

#include "base/layout.h"
#include "os/file.h"

namespace callvault::context {

// Those that are missing. `group`: the Unix group that may record, or empty. Errors: usage when there is no such group.
Result<void> make_folders(const base::Layout& layout, const std::string& group);
// Readable for recorders; nothing without a group.
Result<void> share_file(const os::Path& path, const std::string& group);

}  // namespace callvault::context
