// Where vault.toml asks for a second person: policy.dual_control.
#pragma once

#include <string>
#include <vector>

#include "callvault/approvals.h"
#include "session.h"

namespace callvault {

// Nothing when the action needs nobody else, or when another officer has approved exactly this for the actor; the
// approval is then used. Else it is registered, and Errc::refused names it. `parameters` say exactly what is asked,
// `what` says it to people. REQUIRES: a session that changes; nothing staged yet.
Result<void> require_second(Session& session, DualAction action, const std::vector<std::string>& parameters,
                            std::string what);

// The same for copies of recordings (play -o, copy, disclose), when the actor would have made some of more recordings
// than policy.bulk_export within 24 hours.
Result<void> require_second_for_copies(Session& session, const std::vector<RecordingId>& ids,
                                       std::vector<std::string> parameters, const std::string& what);
Result<void> require_second_for_export(Session& session, const PlayOptions& options);

}  // namespace callvault
