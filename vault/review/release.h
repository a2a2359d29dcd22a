// The keeper side of an opening, and the only one: gate, journal, and then the secrets of the tracks that were asked
// for, of one recording. Without the reviewer's own half they open no audio.
#pragma once

#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "callvault/options.h"
#include "context/context.h"
#include "crypto/hash.h"

namespace callvault::review {

// A sealed file of a chosen track.
struct ReleasedSegment {
  TrackName track = TrackName::mixed;
  std::uint16_t segment = 0;
  crypto::Digest header_hash{};       // of the header that was settled
  std::optional<crypto::Key> secret;  // s_t
  os::File file;                      // for reading only; not open when it is missing
  std::string name;                   // of the file; what is wrong when it is missing
};

struct Release {
  RecordingId id;
  std::vector<TrackName> tracks;             // chosen
  std::optional<crypto::Key> record_secret;  // s_0
  std::vector<ReleasedSegment> segments;
};

// Who is to listen, as far as the keeper side judges.
struct Listener {
  bool may_listen = false;       // a role allows it
  std::set<Purpose> purposes{};  // ... for these
  // Asked when everything else allows the opening, before it is journalled; may refuse.
  std::function<Result<void>()> last_word{};
};

// What the vault opens for, besides its purpose.
struct Occasion {
  std::string_view event = "opened";  // in the journal
  bool track_by_track = false;        // several tracks are fine as Opus: they are written one by one
};

// The access is in the journal, durable, before anything is handed over.
// Errors: not_found; gone; refused (role, consent, hold, restriction: the message says which); usage (a track or format
// the recording does not have); corrupt; io. A refusal is journalled as well.
Result<Release> release(context::Context& context, const Listener& listener, const PlayOptions& options,
                        const Occasion& occasion);
// The gate alone: what `release` would say. Only a refusal is journalled.
Result<void> examine(context::Context& context, const Listener& listener, const PlayOptions& options);

}  // namespace callvault::review
