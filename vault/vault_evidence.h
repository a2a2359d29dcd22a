// What the journal says of recordings, for those who may be told.
#pragma once

#include <map>
#include <vector>

#include "disclosure/documents.h"
#include "journal/journal.h"

namespace callvault {

struct JournalSteps {
  std::vector<disclosure::AccessStep> all;        // every entry whose facts name the recording
  std::vector<disclosure::ConsentStep> consents;  // with their evidence, as far as its envelope still opens
};

// In one pass over the journal, which may be long: needs no lock. The secrets are the recordings' s_0.
Result<std::map<RecordingId, JournalSteps>> journal_steps(const journal::Journal& journal,
                                                          const std::map<RecordingId, crypto::Key>& secrets);

}  // namespace callvault
