#include "retention/plan.h"

#include <algorithm>
#include <string>

namespace callvault::retention {
namespace {

struct Cause {
  std::string_view reason;
  Time due;
  bool applies;
};

bool either(const Candidate& c, Consent consent) { return c.caller_consent == consent || c.agent_consent == consent; }

// The first half of the table in plan.h, line by line.
Cause cause_of(const Candidate& c, const Rules& rules) {
  const bool on_consent = c.basis == Basis::consent;
  const bool pending = on_consent && either(c, Consent::pending);
  const Time grace_ends = c.consent_since + rules.pending_grace;

  if (c.erase_requested) return {kErasureOutstanding, rules.now, true};
  if (on_consent && either(c, Consent::refused)) return {kConsentRefused, c.consent_since, true};
  if (on_consent && either(c, Consent::withdrawn)) return {kConsentWithdrawn, c.consent_since, true};
  if (is_expired(c.expires_at, rules.now)) return {kPeriodOver, c.expires_at, true};
  if (pending && rules.now >= grace_ends) return {kPendingTooLong, grace_ends, true};
  return {kNotDue, pending ? std::min(c.expires_at, grace_ends) : c.expires_at, false};
}

PlannedItem item(const Candidate& c, Decision decision, std::string_view reason, Time due) {
  return {c.id, decision, std::string(reason), due};
}

}  // namespace

PlannedItem decide(const Candidate& c, const Rules& rules) {
  const Cause cause = cause_of(c, rules);
  const bool held = hold_stands(c.held, c.held_until, rules.now);
  const Time after_hold = held && c.held_until ? std::max(cause.due, *c.held_until) : cause.due;
  if (!cause.applies) return item(c, Decision::keep, kNotDue, after_hold);
  if (held) return item(c, Decision::refuse, kHeld, after_hold);
  if (c.restricted) return item(c, Decision::refuse, kRestricted, cause.due);
  return item(c, Decision::expire, cause.reason, cause.due);
}

Plan plan(std::span<const Candidate> candidates, const Rules& rules) {
  Plan out;
  out.items.reserve(candidates.size());
  for (const Candidate& candidate : candidates) {
    out.items.push_back(decide(candidate, rules));
    const PlannedItem& last = out.items.back();
    switch (last.decision) {
      case Decision::keep:
        ++out.kept;
        out.next_due = out.next_due ? std::min(*out.next_due, last.due) : last.due;
        break;
      case Decision::expire:
        ++out.expired;
        break;
      case Decision::refuse:
        ++out.refused;
        break;
    }
  }
  return out;
}

bool is_clock_behind(const Rules& rules) {
  return rules.last_purge && *rules.last_purge - rules.now > rules.clock_slack;
}

Result<void> guard_clock(const Plan& plan, const Rules& rules) {
  if (rules.confirm == plan.expired) return {};
  const bool back = is_clock_behind(rules);
  const bool far = !rules.last_purge || rules.now - *rules.last_purge > rules.clock_jump;
  if (!back && !(far && plan.expired > rules.clock_jump_limit)) return {};

  std::string message = "purge: the clock is in doubt: ";
  if (back) {
    message += "it stands before the last completed purge";
  } else if (rules.last_purge) {
    message += "it stands more than " + std::to_string(rules.clock_jump.count()) + " hours after the last purge";
  } else {
    message += "there is no earlier purge to compare it with";
  }
  message += ", and the plan names " + std::to_string(plan.expired) + " recordings to destroy, " +
             std::to_string(plan.refused) + " refused, " + std::to_string(plan.kept) + " kept; confirm the number " +
             std::to_string(plan.expired) + " if the clock is right";
  return fail(Errc::refused, std::move(message));
}

Result<void> may_open(const OpenRequest& r) {
  const bool held = hold_stands(r.held, r.held_until, r.now);
  const bool for_claims = r.purpose == Purpose::legal_claims;
  const bool expired = is_expired(r.expires_at, r.now);
  const auto either = [&](Consent consent) { return r.caller_consent == consent || r.agent_consent == consent; };

  if (r.erase_requested && !held && !r.restricted) return fail(Errc::gone, "the recording is being erased");
  if (expired && !held) return fail(Errc::gone, "the recording's retention period is over");
  if (expired && !for_claims)
    return fail(Errc::refused, "the recording is past its period and held: it opens for legal_claims only");
  if (r.restricted && !for_claims)
    return fail(Errc::refused, "the recording is restricted: it opens for legal_claims only");
  if (r.erase_requested && !for_claims)
    return fail(Errc::refused, "the recording is to be erased once its hold ends: it opens for legal_claims only");
  if (r.basis == Basis::consent) {
    if (either(Consent::refused)) return fail(Errc::refused, "consent to the recording was refused");
    if (either(Consent::withdrawn)) return fail(Errc::refused, "consent to the recording was withdrawn");
    if (r.caller_consent == Consent::unknown) return fail(Errc::refused, "the caller's consent is not known");
    if (either(Consent::pending)) return fail(Errc::refused, "consent to the recording is still pending");
  }
  if (r.in_progress) return fail(Errc::refused, "the call is still in progress");
  return {};
}

}  // namespace callvault::retention
