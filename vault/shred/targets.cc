#include "shred/targets.h"

#include <algorithm>

#include <map>
#include "retention/plan.h"

namespace callvault::shred {

bool Target::takes_all_of(const keys::NodeRow& row) const {
  return std::all_of(row.tracks.begin(), row.tracks.end(), [this](const auto& t) { return takes(t.name); });
}

std::vector<Target> merge(std::vector<Victim> victims) {
  std::map<std::pair<std::uint32_t, RecordingId>, Target> merged;
  for (auto& victim : victims) {
    const auto [it, fresh] = merged.try_emplace({victim.bucket, victim.id});
    Target& target = it->second;
    const bool was_whole = !fresh && target.tracks.empty();
    if (fresh || (!was_whole && !victim.track)) target.reason = std::move(victim.reason);
    target.id = victim.id;
    target.bucket = victim.bucket;
    if (!victim.track)
      target.tracks.clear();
    else if (!was_whole)
      target.tracks.insert(*victim.track);
  }
  std::vector<Target> out;
  out.reserve(merged.size());
  for (auto& item : merged) out.push_back(std::move(item.second));
  return out;
}

bool put_off(keys::Directory& directory, const Target& target) {
  auto& list = directory.outstanding;
  const auto asked = [&](const std::optional<TrackName>& track) {
    return std::any_of(list.begin(), list.end(),
                       [&](const keys::Outstanding& o) { return o.id == target.id && o.track == track; });
  };
  if (asked(std::nullopt)) return false;
  if (target.tracks.empty()) {
    std::erase_if(list, [&](const keys::Outstanding& o) { return o.id == target.id; });
    list.push_back({target.id, target.reason, std::nullopt});
    return true;
  }
  bool changed = false;
  for (const TrackName track : target.tracks) {
    if (asked(track)) continue;
    list.push_back({target.id, target.reason, track});
    changed = true;
  }
  return changed;
}

bool was_asked_for(std::string_view reason) {
  return reason != retention::kPeriodOver && reason != retention::kPendingTooLong;
}

void take_off(keys::Directory& directory, const Doomed& doomed) {
  std::erase_if(directory.outstanding, [&](const keys::Outstanding& o) {
    return o.id == doomed.id && (doomed.whole || (o.track && doomed.takes(*o.track)));
  });
}

}  // namespace callvault::shred
