// The one place that decides what is kept, what goes, and what may be opened. Pure: no clock, no I/O.
//
// What happens to a recording at the instant `now`. First the cause, the first line that applies:
//
//   cause                                               reason               due
//   1 an accepted erasure is outstanding                erasure_outstanding  now
//   2 basis consent, a party refused                    consent_refused      consent_since
//   3 basis consent, a party withdrew                   consent_withdrawn    consent_since
//   4 the period is over: now >= expires_at             period_over          expires_at
//   5 basis consent, a party is still pending and       pending_too_long     consent_since + pending_grace
//     now >= consent_since + pending_grace
//   6 none of these                                     not_due              the earlier of expires_at and, while
//                                                                            pending on basis consent, line 5's
// Then what protects it, the first line that applies:
//
//   cause 6: keep, not_due. A hold with an end after that moves `due` to the hold's end.
//   a  a legal hold stands (no end, or now < its end)   refuse, held         the hold's end, else the cause's
//   b  restricted (Art. 18: stored, not opened, and     refuse, restricted   the cause's
//      not purged silently)
//   c  else                                             expire, the cause's reason and due
//
// So a legal hold beats everything, a restriction everything but a hold, and an erasure names itself even when the
// period is over too. Consent counts only where it is the basis; `unknown` consent is kept to the end of its period
// (and not opened). A call in progress is decided like any other: the stage that destroys stops its recorder first.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "callvault/call_record.h"
#include "callvault/result.h"
#include "callvault/retention.h"

namespace callvault::retention {

// The reason codes: stable words, in reports and in the journal.
inline constexpr std::string_view kNotDue = "not_due";
inline constexpr std::string_view kPeriodOver = "period_over";
inline constexpr std::string_view kConsentRefused = "consent_refused";
inline constexpr std::string_view kConsentWithdrawn = "consent_withdrawn";
inline constexpr std::string_view kPendingTooLong = "pending_too_long";
inline constexpr std::string_view kErasureOutstanding = "erasure_outstanding";
inline constexpr std::string_view kHeld = "held";
inline constexpr std::string_view kRestricted = "restricted";

// What decides a recording's fate; read from the bucket's node, never from the catalogue.
struct Candidate {
  RecordingId id;
  Time started_at{};
  Time expires_at{};
  Consent caller_consent = Consent::unknown;
  Consent agent_consent = Consent::unknown;
  Basis basis = Basis::consent;
  bool held = false;                              // at least one hold was placed and not lifted
  std::optional<Time> held_until = std::nullopt;  // the latest end among the holds; none when one of them has no end
  bool restricted = false;
  bool in_progress = false;
  Time consent_since{};          // when the deciding consent took its present value; for pending: started_at
  bool erase_requested = false;  // an erasure was accepted and is not final yet
};

struct Rules {
  Time now{};
  std::chrono::seconds pending_grace = std::chrono::hours(24);
  std::optional<Time> last_purge = std::nullopt;  // the last completed one; before the first, the vault's creation
  std::optional<std::uint64_t> confirm = std::nullopt;  // the operator's count
  std::chrono::minutes clock_slack =
      std::chrono::minutes(5);  // a clock that is set by a time server steps back a little
  std::chrono::hours clock_jump = std::chrono::hours(72);
  std::uint64_t clock_jump_limit = 100;
};

struct Plan {
  std::vector<PlannedItem> items;  // one per candidate, in their order
  std::uint64_t kept = 0, expired = 0, refused = 0;
  std::optional<Time> next_due = std::nullopt;  // the earliest `due` among those kept
};

PlannedItem decide(const Candidate& candidate, const Rules& rules);
Plan plan(std::span<const Candidate> candidates, const Rules& rules);

// `now` precedes the last completed purge by more than the slack.
bool is_clock_behind(const Rules& rules);

// A wrong clock must not destroy anything. Refuses when the clock is behind, and when it lies more than `clock_jump`
// after the last purge (or there is none to compare with) while the plan expires more than `clock_jump_limit`
// recordings; unless `confirm` names exactly the number that the plan expires. Errors: refused, with the counts.
Result<void> guard_clock(const Plan& plan, const Rules& rules);

// Expired from that very instant on.
inline bool is_expired(Time expires_at, Time now) { return now >= expires_at; }
// A hold whose end has come no longer holds.
inline bool hold_stands(bool held, const std::optional<Time>& until, Time now) {
  return held && (!until || now < *until);
}

struct OpenRequest {
  Time now{};
  Time expires_at{};
  Purpose purpose = Purpose::service_quality;
  Basis basis = Basis::consent;
  Consent caller_consent = Consent::unknown;
  Consent agent_consent = Consent::unknown;
  bool held = false;
  std::optional<Time> held_until = std::nullopt;
  bool restricted = false;
  bool in_progress = false;
  bool erase_requested = false;
};

// The gate before any opening, play and export alike. The first line that applies:
//
//   1 erasure accepted, no hold or restriction stands    gone
//   2 expired, no hold stands                            gone (a restriction does not prolong access)
//   3 expired, a hold stands                             refused, except for legal_claims
//   4 restricted, or its erasure waits for a hold to end refused, except for legal_claims (Art. 18(2), 17(3)(e))
//   5 basis consent: a party refused or withdrew         refused
//   6 basis consent: the caller's unknown, or a party's  refused: quarantined
//     pending
//   7 the call is in progress                            refused: until it ends, consent may still be refused, and
//                                                        listening in is none of the purposes people were told of
//   8 else                                               opened
// The agent's `unknown` is no obstacle: staff are recorded on other grounds unless they were asked.
Result<void> may_open(const OpenRequest& request);

}  // namespace callvault::retention
