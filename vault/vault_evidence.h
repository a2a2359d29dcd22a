// What the journal says of one recording, for those who may be told.
#pragma once

#include <vector>

#include "disclosure/documents.h"
#include "session.h"

namespace callvault {

// Consents that were noted, with their evidence, as far as its envelope still opens.
Result<std::vector<disclosure::ConsentStep>> consent_steps(context::Context& context, const RecordingId& id,
                                                           const keys::NodeRow& row);
// Every entry that names the recording, up to the journal's end.
Result<std::vector<disclosure::AccessStep>> access_steps(context::Context& context, const RecordingId& id);

}  // namespace callvault
