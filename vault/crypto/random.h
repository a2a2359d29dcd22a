// Randomness, and readiness of the library.
#pragma once

#include "base/bytes.h"
#include "callvault/result.h"

namespace callvault::crypto {

// Once per process, before anything else here; cheap when repeated.
Result<void> ready();
void fill_random(base::MutableBytes out);
// Overwrites in a way the compiler keeps.
void wipe(base::MutableBytes bytes);

}  // namespace callvault::crypto
