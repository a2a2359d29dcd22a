#include "capture/folded.h"

namespace callvault::capture {

Result<std::optional<RecordingId>> folded_into(const context::Context& context, const RecordingId& id) {
  std::optional<RecordingId> out;
  CALLVAULT_TRY(context.log.journal().for_each(0, [&](std::uint64_t, const journal::Entry& entry) -> Result<bool> {
    if (entry.event != "folded") return true;
    const auto from = entry.facts.find("id");
    const auto into = entry.facts.find("into");
    if (from == entry.facts.end() || into == entry.facts.end() || from->second != out.value_or(id).text()) return true;
    CALLVAULT_TRY_ASSIGN(out, RecordingId::parse(into->second));
    return true;
  }));
  return out;
}

Result<void> tell_folded(const context::Context& context, const RecordingId& id) {
  CALLVAULT_TRY_ASSIGN(const auto into, folded_into(context, id));
  if (!into) return {};
  return fail(Errc::not_found, "recording " + id.text() + " was folded into " + into->text() +
                                   ": the same call, delivered twice, is kept once; ask for that one");
}

}  // namespace callvault::capture
