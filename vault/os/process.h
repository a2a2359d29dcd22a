#pragma once

#include "callvault/result.h"

namespace callvault::os {

// RLIMIT_CORE 0, PR_SET_DUMPABLE 0, umask 077.
Result<void> forbid_dumps();

// Raises the limit of this process, as far as it may. Errors: usage, when that is not far enough.
Result<void> allow_open_files(std::size_t count);

}  // namespace callvault::os
