#pragma once

#include "callvault/result.h"

namespace callvault::os {

// RLIMIT_CORE 0, PR_SET_DUMPABLE 0, umask 077.
Result<void> forbid_dumps();

}  // namespace callvault::os
