// Calls that a recorder made of people who had objected.
#pragma once

#include <vector>

#include "context/context.h"

namespace callvault {

// Shreds what was settled as refused for that reason. What is folded into another call, or cannot go yet, is left to
// the purge.
Result<void> shred_objected(context::Context& context, const std::vector<RecordingId>& ids);

}  // namespace callvault
