// The one function that opens: the reviewer's half of an opening, joined to what release.h handed over. Neither half
// opens a track alone, and the keeper's is handed over only once the access stands in the journal.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "callvault/options.h"
#include "callvault/reports.h"
#include "keys/identity.h"
#include "review/release.h"
#include "review/track_pages.h"

namespace callvault::review {

// The review key's half of an opened identity: checked against keys/review.pub by the caller.
struct Reviewer {
  const keys::Identity& identity;
  Listener listener;
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

// REQUIRES: the options that it was released for. Errors: refused (the reviewer was not granted the review key);
// corrupt; io.
Result<Opened> open(Release released, const keys::Identity& reviewer, const PlayOptions& options);
// Both halves in one process.
Result<Opened> open(context::Context& context, const Reviewer& reviewer, const PlayOptions& options,
                    const Occasion& occasion);

}  // namespace callvault::review
