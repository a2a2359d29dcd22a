// The one function that opens. Gate, journal, then keys: the access stands in the journal before any secret is used,
// and neither the reviewer's half nor the keeper's opens a track alone.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string_view>
#include <vector>

#include "callvault/options.h"
#include "callvault/reports.h"
#include "context/context.h"
#include "keys/identity.h"
#include "review/track_pages.h"

namespace callvault::review {

// The review key's half of an opened identity: checked against keys/review.pub by the caller.
struct Reviewer {
  const keys::Identity& identity;
  bool may_listen = false;       // a role allows it
  std::set<Purpose> purposes{};  // ... for these
  // Asked when everything else allows the opening, before it is journalled; may refuse.
  std::function<Result<void>()> last_word{};
};

// An opened recording: its keys, in locked memory, and its files. Needs no lock any more: whoever is allowed to listen
// now may hear it to its end, and a purge never waits for a slow listener.
class Opened {
 public:
  // Errors: usage when the range lies outside; corrupt; those of the sink.
  Result<PlaySummary> write(ByteSink& sink);

  // One by one, as each is stored (Ogg Opus), whatever the format asked for: `tracks` tells their sizes beforehand.
  struct StoredTrack {
    TrackName name = TrackName::mixed;
    std::uint64_t bytes = 0;
    double duration_s = 0;
  };
  Result<std::vector<StoredTrack>> tracks();
  Result<void> write_track(std::size_t index, ByteSink& sink);
  const std::vector<TrackName>& track_names() const { return summary_.tracks; }
  bool incomplete() const { return summary_.incomplete; }

 private:
  friend class Opening;
  Result<void> write_pages(TrackPages& pages, ByteSink& sink);
  Result<PlaySummary> write_opus(ByteSink& sink);
  Result<PlaySummary> write_wav(ByteSink& sink);
  Result<void> give(ByteSink& sink, base::ByteView bytes);

  PlaySummary summary_;
  PlayFormat format_ = PlayFormat::wav;
  std::optional<std::chrono::milliseconds> from_, to_;
  std::vector<std::unique_ptr<TrackPages>> pages_;
};

// What the vault opens for, besides its purpose.
struct Occasion {
  std::string_view event = "opened";  // in the journal
  bool track_by_track = false;        // several tracks are fine as Opus: they are written one by one
};

// Errors: not_found; gone; refused (role, consent, hold, restriction: the message says which); usage (a track or format
// the recording does not have); corrupt; io. A refusal is journalled as well.
Result<Opened> open(context::Context& context, const Reviewer& reviewer, const PlayOptions& options,
                    const Occasion& occasion);
// The gate alone: what `open` would say. Only a refusal is journalled.
Result<void> examine(context::Context& context, const Reviewer& reviewer, const PlayOptions& options);

}  // namespace callvault::review
