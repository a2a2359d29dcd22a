// Step 7 of a shred, when nobody can open the victims any more: what is left of them on the disk and in the index.
#pragma once

#include <vector>

#include "callvault/options.h"
#include "shred/intent.h"

namespace callvault::shred {

// Files, superseded nodes, index rows; then, unless `journalled` already, tombstones and the end of the intent. May be
// done twice. `progress` counts the recordings whose files are gone.
Result<void> clean(context::Context& context, const std::vector<Doomed>& doomed, std::uint64_t epoch, bool journalled,
                   const Progress& progress);

}  // namespace callvault::shred
