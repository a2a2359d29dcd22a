// The one function that destroys. Expiry, erasure and withdrawal are the same thing: retain the survivors of some
// buckets under fresh keys, rotate the root, forget the old one. Steps and recovery: forgetting in
// docs/THREAT_MODEL.md and docs/format/keys.md.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "callvault/options.h"
#include "context/context.h"

namespace callvault::shred {

struct Victim {
  RecordingId id;
  std::uint32_t bucket = 0;
  std::string reason;              // a code: period_over, erased, consent_withdrawn ...
  std::optional<TrackName> track;  // only this party's voice; the recording goes with its last track
};

// Settles every header in incoming/, calls in progress included; gives the intake keys that are still needed because
// some file could not be read. Brought by vault.cc, since verbs do not know each other.
using SettleEverything = std::function<Result<std::vector<std::uint32_t>>()>;

struct Options {
  bool retire_all_intake = false;  // nightly, victims or not
  bool rotate = false;             // victims or not
  SettleEverything settle_everything;
  // A recorder holds its intake key only until its header is durable. One that stalls longer delays only the shred of
  // recordings sealed to that key.
  std::chrono::milliseconds intake_patience{5000};
  Progress progress{};  // of removing the files, after all of it is irrecoverable
};

struct Report {
  std::uint64_t shredded = 0, buckets_rewritten = 0, buckets_dropped = 0, intake_retired = 0;
  std::uint64_t epoch = 0;
  std::vector<RecordingId> outstanding;  // not final: an intake key could not be retired, or the call goes on
  // Gone from the vault, and not final before these have a root of the present epoch, too: `outstanding` has them.
  std::vector<std::string> mirrors_behind;
  double irrecoverable_ms = 0, cleaned_ms = 0;
};

// Destroys the victims, all of them or (after a crash) none, and returns only when that has been verified.
// REQUIRES: the state lock is held exclusively; the victims were planned under it. Errors: io, no_space (nothing was
// taken away unless the message says that cleaning is left), corrupt.
Result<Report> run(context::Context& context, std::vector<Victim> victims, const Options& options);

// Keeps the victims as outstanding, durably: from here on the next purge destroys them, whatever happens to this
// process. Those that are kept already cost nothing, unless the directory was `edited` otherwise.
Result<void> keep_outstanding(context::Context& context, const std::vector<Victim>& victims, bool edited = false);

// What a crash left: a shred past its commit is finished, one before it is undone, and its erasures are kept as
// outstanding. Cheap when there is nothing.
struct Finished {
  std::uint64_t finished = 0, undone = 0;
  std::uint64_t recordings = 0;  // of the finished one
};
bool is_pending(const base::Layout& layout);
Result<Finished> finish_pending(context::Context& context);

}  // namespace callvault::shred
