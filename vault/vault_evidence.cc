#include "vault_evidence.h"

namespace callvault {

Result<std::vector<disclosure::ConsentStep>> consent_steps(context::Context& context, const RecordingId& id,
                                                           const keys::NodeRow& row) {
  CALLVAULT_TRY_ASSIGN(const auto secret, crypto::Key::copy_of(row.record_secret));
  std::vector<disclosure::ConsentStep> out;
  CALLVAULT_TRY(context.log.journal().for_each(0, [&](std::uint64_t index, const journal::Entry& e) -> Result<bool> {
    const auto named = e.facts.find("id");
    if (e.event != "consent_changed" || named == e.facts.end() || named->second != id.text()) return true;
    disclosure::ConsentStep step{index, e.at, e.facts.at("party"), e.facts.at("consent"), {}};
    if (const auto note = context::open_note(e, secret); note) step.evidence = *note;
    out.push_back(std::move(step));
    return true;
  }));
  return out;
}

Result<std::vector<disclosure::AccessStep>> access_steps(context::Context& context, const RecordingId& id) {
  std::vector<disclosure::AccessStep> out;
  CALLVAULT_TRY(context.log.journal().for_each(0, [&](std::uint64_t index, const journal::Entry& e) -> Result<bool> {
    const auto named = e.facts.find("id");
    if (named != e.facts.end() && named->second == id.text()) out.push_back({index, e.at, e.event, e.facts});
    return true;
  }));
  return out;
}

}  // namespace callvault
