// What every verb works with: one vault, opened under its lock, at one instant, on behalf of one actor.
#pragma once

#include <string>

#include "base/civil_time.h"
#include "base/layout.h"
#include "catalog/catalog.h"
#include "context/log.h"
#include "keys/config.h"
#include "keys/key_state.h"

namespace callvault::context {

struct Context {
  const base::Layout& layout;
  const keys::Config& config;
  const base::Zone& zone;
  keys::KeyState& state;
  catalog::Catalog& catalog;
  Log& log;
  Time now{};
};

// recordings/<day>/ of a bucket.
os::Path recording_folder(const base::Layout& layout, std::int32_t day);

// Where a sealed file of a registered recording is: in its day's folder, or (a crash came between commit and move, or
// the call still runs) in incoming/. Errc::not_found when it is in neither.
Result<os::Path> find_sealed_file(const base::Layout& layout, std::int32_t day, const RecordingId& id, TrackName track,
                                  std::uint16_t segment);

// A party's consent as far as it still decides: once that voice was shredded alone, what is left does not rest on it.
Consent deciding_caller_consent(const keys::NodeRow& row);
Consent deciding_agent_consent(const keys::NodeRow& row);

// The latest end among the recording's holds; none when it has no holds, or one of them has no end.
std::optional<Time> latest_hold_end(const keys::NodeRow& row);

}  // namespace callvault::context
