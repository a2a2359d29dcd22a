// What a program that handles secrets does first.
#pragma once

#include "callvault/result.h"

namespace callvault {

// No core dumps, not traceable by the same user, files private by default (umask 077), cryptography ready.
// Call once, before threads start. Errors: unexpected, when the host refuses one of them.
Result<void> harden_process();

}  // namespace callvault
