// Takes connections, and gives each that says what it is to the calls that are carried.
#pragma once

#include "callvault/listen.h"

namespace callvault::capture {

// See ingest_listen.
Result<void> listen(const ListenOptions& options);

}  // namespace callvault::capture
