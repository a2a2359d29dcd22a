// Who is to be shredded: one target a recording, whatever was asked about it; and those that have to wait.
#pragma once

#include <set>
#include <vector>

#include "context/context.h"
#include "shred/intent.h"

namespace callvault::shred {

// All that one batch asks about one recording.
struct Target {
  RecordingId id;
  std::uint32_t bucket = 0;
  std::string reason;
  std::set<TrackName> tracks;  // only these parties' voices; none named: the whole recording

  bool takes(TrackName name) const { return tracks.empty() || tracks.contains(name); }
  // The recording goes with its last track.
  bool takes_all_of(const keys::NodeRow& row) const;
};

// Sorted by bucket and id, so that each node is opened once. The reason of a request for the whole recording prevails.
std::vector<Target> merge(std::vector<Victim> victims);

// Adds what is asked to the directory's outstanding shreds; true when that changed them.
bool put_off(keys::Directory& directory, const Target& target);
// What is merely due is planned again against present holds; the rest was asked for, and stays so.
bool was_asked_for(std::string_view reason);
// Takes off what the doomed one settles.
void take_off(keys::Directory& directory, const Doomed& doomed);

}  // namespace callvault::shred
