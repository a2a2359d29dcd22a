// Seals one call while it is spoken. Knows only what a recorder may read, writes only incoming/, opens nothing.
#pragma once

#include "callvault/options.h"
#include "callvault/reports.h"
#include "keys/recorder_view.h"

namespace callvault::capture {

// From the first sample to the end of the input, options.should_stop or incoming/<id>.stop. options.on_started is
// called once the headers are durable. While the disk fails, what is not durable stays in memory and a new segment is
// tried each second.
// Errors: usage (the options contradict themselves or the input; an input without audio), refused (consent refused,
// start in the future or already expired: nothing is stored), io or no_space (then the message says how many seconds
// of the call are safe; they are recovered as an interrupted recording), or what RecorderView::acquire_intake says.
Result<IngestSummary> record(const keys::RecorderView& view, const IngestOptions& options);

}  // namespace callvault::capture
