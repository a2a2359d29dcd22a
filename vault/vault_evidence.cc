#include "vault_evidence.h"

#include "context/log.h"

namespace callvault {
namespace {

std::string fact_of(const journal::Entry& entry, const char* key) {
  const auto it = entry.facts.find(key);
  return it == entry.facts.end() ? "" : it->second;
}

}  // namespace

Result<std::map<RecordingId, JournalSteps>> journal_steps(const journal::Journal& journal,
                                                          const std::map<RecordingId, crypto::Key>& secrets) {
  std::map<RecordingId, JournalSteps> out;
  CALLVAULT_TRY(journal.for_each(0, [&](std::uint64_t index, const journal::Entry& e) -> Result<bool> {
    const auto id = RecordingId::parse(fact_of(e, "id"));
    const auto secret = id ? secrets.find(*id) : secrets.end();
    if (secret == secrets.end()) return true;
    JournalSteps& steps = out[*id];
    steps.all.push_back({index, e.at, e.event, e.facts});
    if (e.event != "consent_changed") return true;
    const auto evidence = context::open_note(e, secret->second);
    steps.consents.push_back({index, e.at, fact_of(e, "party"), fact_of(e, "consent"), evidence ? *evidence : ""});
    return true;
  }));
  return out;
}

}  // namespace callvault
