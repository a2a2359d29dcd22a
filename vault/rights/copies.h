// Whether a request may be answered with a copy of a recording, and of how much of it. Pure. S21, S22, GDPR Art. 15(3)
// and (4), 20.
#pragma once

#include <string>
#include <vector>

#include "callvault/audio.h"
#include "callvault/rights.h"
#include "keys/config.h"

namespace callvault::rights {

inline constexpr std::size_t kMaxAnswers = 4096;  // of one request
inline constexpr std::size_t kMaxCopies = 4096;

// The request itself. Refused, the first line that applies:
//   its kind is none of copy, access, portability
//   it is closed
//   it was not decided, or was refused
//   it came by telephone: only a written one is answered with a copy
//   no hash of its document is registered
//   nobody said which party of the call it comes from
Result<void> may_copy(const Request& request);

// What the rule needs to know of the recording.
struct CopySubject {
  RecordingId id;
  std::string outside_number;     // the other party's, in its normal form; empty when it was withheld
  std::vector<TrackName> tracks;  // those that are left
  Basis basis = Basis::consent;
};

// Which tracks the requester gets: all of them when the other party's answer allows it, else their own. Refused: the
// recording is not of the number that the request is about; it asks for portability, and the recording rests on neither
// consent nor contract (Art. 20(1)); or both voices are in one track, and not all agreed; or the
// requester's own track is gone.
struct CopyExtent {
  bool whole = false;
  TrackChoice tracks = TrackChoice::both;
};
Result<CopyExtent> copy_extent(const Request& request, const CopySubject& subject, keys::CopyConsent consent);

// The last answer of each party to each recording counts. Errors: refused when the request has too many.
Result<void> note_answer(Request& request, PartyAnswer answer);
Result<void> note_copy(Request& request, CopyMade copy);

}  // namespace callvault::rights
