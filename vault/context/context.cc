#include "context/context.h"

#include <algorithm>

namespace callvault::context {

os::Path recording_folder(const base::Layout& layout, std::int32_t day) {
  return layout.recordings() / base::day_text(day);
}

Result<os::Path> find_sealed_file(const base::Layout& layout, std::int32_t day, const RecordingId& id, TrackName track,
                                  std::uint16_t segment) {
  const std::string name = base::sealed_file_name(id, track, segment);
  const os::Path stored = recording_folder(layout, day) / name;
  const os::Path finished = layout.incoming() / name;
  // The first two again: between two looks its recorder may have ended.
  for (const os::Path& path : {stored, finished, layout.incoming() / (name + ".part"), finished, stored}) {
    CALLVAULT_TRY_ASSIGN(const bool there, os::is_there(path));
    if (there) return path;
  }
  return fail(Errc::not_found, "the sealed file " + name + " is missing");
}

Consent deciding_caller_consent(const keys::NodeRow& row) {
  return row.caller_shredded ? Consent::granted : row.caller_consent;
}

Consent deciding_agent_consent(const keys::NodeRow& row) {
  const bool heard = std::any_of(row.tracks.begin(), row.tracks.end(),
                                 [](const keys::TrackSecret& t) { return t.name != TrackName::caller; });
  return heard ? row.agent_consent : Consent::unknown;
}

std::optional<Time> latest_hold_end(const keys::NodeRow& row) {
  std::optional<Time> out;
  for (const auto& hold : row.holds) {
    if (!hold.until) return std::nullopt;
    out = std::max(out.value_or(*hold.until), *hold.until);
  }
  return out;
}

}  // namespace callvault::context
