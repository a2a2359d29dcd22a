// A call that was delivered twice is kept once: what became of the other id.
#pragma once

#include <optional>

#include "context/context.h"

namespace callvault::capture {

// The recording that `id` was folded into, as the journal tells; the last one when that was folded in its turn. Reads
// the whole journal: only for ids that nothing else knows.
Result<std::optional<RecordingId>> folded_into(const context::Context& context, const RecordingId& id);

// Errc::not_found, saying so, when `id` was folded; else nothing.
Result<void> tell_folded(const context::Context& context, const RecordingId& id);

}  // namespace callvault::capture
