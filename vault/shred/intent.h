// The intent of a shred: what it is about to take away, in the journal before anything is staged, so that a crash
// leaves neither a half-done shred nor a destroyed recording without its tombstone. No personal data.
#pragma once

#include <set>
#include <vector>

#include "context/context.h"
#include "shred/shred.h"

namespace callvault::shred {

inline constexpr std::string_view kIntentEvent = "shred_intent";
inline constexpr std::string_view kDoneEvent = "shred_done";
inline constexpr std::string_view kUndoneEvent = "shred_undone";

// One victim with what its tombstone and its files need.
struct Doomed {
  RecordingId id;
  std::uint32_t bucket = 0;
  std::int32_t day = 0;
  std::uint64_t duration_s = 0;
  std::string reason;
  bool whole = true;                                        // else only the tracks below
  std::vector<std::pair<TrackName, std::uint16_t>> tracks;  // whose files go

  bool takes(TrackName name) const;
  std::set<TrackName> names() const;
};

// One item, or several when it has many files; `decode_doomed` gives a part, `join_doomed` puts it to those before.
std::vector<std::string> encode_doomed(const Doomed& doomed);
Result<Doomed> decode_doomed(std::string_view item);
void join_doomed(std::vector<Doomed>& list, Doomed part);

// Journals the intent (in bounded entries) under keys/pending, which names the journal's size before it.
Result<void> write_intent(context::Context& context, const std::vector<Doomed>& doomed, std::uint64_t next_epoch);

struct Pending {
  std::uint64_t next_epoch = 0;
  std::vector<Doomed> doomed;
  bool journalled = false;  // its tombstones and its end are in the journal already
};
// Errors: not_found when nothing is pending.
Result<Pending> read_pending(const context::Context& context);
Result<void> clear_pending(const base::Layout& layout);
os::Path pending_path(const base::Layout& layout);

}  // namespace callvault::shred
