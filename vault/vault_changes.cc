// What changes a recording's fate: consent, holds, erasure, the nightly purge.
#include <algorithm>
#include <set>

#include "base/phone.h"
#include "base/text.h"
#include "context/rows.h"
#include "retention/plan.h"
#include "session.h"

namespace callvault {
namespace {

using keys::NodeRow;

constexpr std::size_t kMaxMatterBytes = 128;
// Intake keys rotate nightly: a purge retires those that are older than this, so that two purges a night do not.
constexpr std::chrono::hours kIntakeLife{20};

// Takes a recording's row through a change that takes nothing away: a new node generation, the journal, the directory.
Result<void> rewrite_row(context::Context& context, const Located& found, const journal::Entry& entry,
                         const std::function<void(NodeRow&)>& change, bool index_changes) {
  CALLVAULT_TRY_ASSIGN(auto rows, found.node.rows());
  for (auto& row : rows)
    if (row.id == found.row.id) change(row);
  keys::Bucket& bucket = context.state.edit().buckets.at(found.bucket);
  const std::uint64_t before = bucket.generation;
  if (index_changes) {
    CALLVAULT_TRY_ASSIGN(bucket.index_key, crypto::Key::random());
  }
  CALLVAULT_TRY(context.state.stage_node(bucket, rows));
  CALLVAULT_TRY(context.log.append({entry}));
  CALLVAULT_TRY(context.log.pin_head());
  CALLVAULT_TRY(context.state.commit());
  if (index_changes) return context::rebuild_rows(context, bucket);
  CALLVAULT_TRY_ASSIGN(const bool same, context.catalog.add_rows(bucket.number, before, bucket.generation, {}));
  return same ? Result<void>() : context::renew_rows(context, {&bucket.number, 1});
}

Result<journal::Entry> entry_with_note(context::Context& context, std::string_view event,
                                       std::map<std::string, std::string> facts, const NodeRow& row,
                                       std::string_view note) {
  CALLVAULT_TRY_ASSIGN(auto entry, context.log.entry(event, std::move(facts)));
  CALLVAULT_TRY_ASSIGN(const auto secret, crypto::Key::copy_of(row.record_secret));
  CALLVAULT_TRY(context::Log::add_note(entry, row.id, secret, note));
  return entry;
}

shred::Options shred_options(context::Context& context) {
  shred::Options out;
  out.settle_everything = [&context]() -> Result<std::vector<std::uint32_t>> {
    CALLVAULT_TRY_ASSIGN(auto report, capture::settle(context, capture::SettleMode::everything));
    return std::move(report.failed_intake);
  };
  return out;
}

retention::Candidate candidate_of(const NodeRow& row, const std::set<RecordingId>& outstanding) {
  retention::Candidate out;
  out.id = row.id;
  out.started_at = row.started_at;
  out.expires_at = row.expires_at;
  out.caller_consent = row.caller_consent;
  out.agent_consent = context::deciding_agent_consent(row);
  out.basis = row.basis;
  out.held = !row.holds.empty();
  for (const auto& hold : row.holds) {
    if (!hold.until) {
      out.held_until.reset();
      break;
    }
    out.held_until = std::max(out.held_until.value_or(*hold.until), *hold.until);
  }
  out.restricted = row.restricted;
  out.in_progress = row.in_progress;
  out.consent_since = row.consent_since;
  out.erase_requested = outstanding.contains(row.id);
  return out;
}

std::set<RecordingId> outstanding_of(const keys::Directory& directory) {
  std::set<RecordingId> out;
  for (const auto& o : directory.outstanding) out.insert(o.id);
  return out;
}

retention::Rules rules_of(const context::Context& context, std::optional<std::uint64_t> confirm) {
  retention::Rules rules;
  rules.now = context.now;
  rules.pending_grace = context.config.pending_grace;
  rules.last_purge = context.state.directory().last_purge;
  rules.confirm = confirm;
  return rules;
}

bool agent_is_apart(const NodeRow& row) {
  return std::any_of(row.tracks.begin(), row.tracks.end(), [](const auto& t) { return t.name == TrackName::agent; });
}

// Which tracks of an expiring recording go: none named when it goes whole. Only the agent's when nothing but that
// party's consent, or an unfinished shred of that voice, is the cause.
std::vector<TrackName> tracks_that_go(const keys::Directory& directory, const NodeRow& row,
                                      const retention::Candidate& candidate, const retention::Rules& rules) {
  std::set<TrackName> out;
  retention::Candidate rest = candidate;
  rest.erase_requested = false;
  for (const auto& o : directory.outstanding) {
    if (o.id != row.id) continue;
    if (!o.track) return {};
    out.insert(*o.track);
  }
  if (agent_is_apart(row)) {
    if (retention::decide(rest, rules).decision == Decision::expire) out.insert(TrackName::agent);
    rest.agent_consent = Consent::unknown;
  }
  if (retention::decide(rest, rules).decision == Decision::expire) return {};
  return {out.begin(), out.end()};
}

struct PurgePlan {
  retention::Plan plan;
  std::vector<std::uint32_t> buckets;           // of plan.items
  std::vector<std::vector<TrackName>> partial;  // of plan.items: the tracks that go alone, or none
};

Result<PurgePlan> make_plan(context::Context& context, const retention::Rules& rules) {
  PurgePlan out;
  std::vector<retention::Candidate> candidates;
  const auto outstanding = outstanding_of(context.state.directory());
  CALLVAULT_TRY(survey(context, [&](const keys::Bucket& bucket, const NodeRow& row) -> Result<void> {
    candidates.push_back(candidate_of(row, outstanding));
    out.buckets.push_back(bucket.number);
    const bool expires = retention::decide(candidates.back(), rules).decision == Decision::expire;
    out.partial.push_back(expires ? tracks_that_go(context.state.directory(), row, candidates.back(), rules)
                                  : std::vector<TrackName>());
    return {};
  }));
  out.plan = retention::plan(candidates, rules);
  return out;
}

bool is_reference(std::string_view text) {
  constexpr std::string_view kAllowed = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_./:#";
  return !text.empty() && text.size() <= 64 && text.find_first_not_of(kAllowed) == std::string_view::npos;
}

// The reference is sealed too: in the clear it would tie the recordings of one request to each other.
std::string note_of(const EraseOptions& options) {
  return "request " + options.request + (options.reason.empty() ? "" : ": " + options.reason);
}

}  // namespace

Result<ConsentReport> Vault::set_consent(const Person& person, const ConsentChange& change) {
  if (change.consent != Consent::granted && change.consent != Consent::refused && change.consent != Consent::withdrawn)
    return fail(Errc::usage, "consent is set to granted, refused or withdrawn");
  CALLVAULT_TRY_ASSIGN(const auto session, Session::begin(*impl_, Access::change, person.name()));
  CALLVAULT_TRY(session->require(person, {Role::officer, Role::operator_}, "consent"));
  auto& context = session->context();
  CALLVAULT_TRY(capture::settle(context, capture::SettleMode::everything));
  CALLVAULT_TRY_ASSIGN(const auto found, locate(context, change.id));
  CALLVAULT_TRY_ASSIGN(const auto entry, entry_with_note(context, "consent_changed",
                                                         {{"id", change.id.text()},
                                                          {"party", std::string(to_word(change.party))},
                                                          {"consent", std::string(to_word(change.consent))}},
                                                         found.row, change.evidence));
  CALLVAULT_TRY(rewrite_row(
      context, found, entry,
      [&](NodeRow& row) {
        (change.party == Party::caller ? row.caller_consent : row.agent_consent) = change.consent;
        // It is also since when the other party's consent is pending.
        const Consent other = change.party == Party::caller ? row.agent_consent : row.caller_consent;
        if (other != Consent::pending) row.consent_since = context.now;
      },
      true));
  ConsentReport report{change.id, false, {}};
  if (change.consent == Consent::granted) return report;
  // Only what rests on consent alone goes; a hold keeps even that.
  if (found.row.basis != Basis::consent) report.kept_because = std::string(to_word(found.row.basis));
  if (is_held(found.row, context.now)) report.kept_because = "held";
  if (found.row.restricted) report.kept_because = "restricted";
  if (!report.kept_because.empty()) return report;
  shred::Victim victim{
      change.id, found.bucket,
      std::string(change.consent == Consent::refused ? retention::kConsentRefused : retention::kConsentWithdrawn),
      std::nullopt};
  if (change.party == Party::agent && agent_is_apart(found.row)) victim.track = TrackName::agent;
  CALLVAULT_TRY_ASSIGN(const auto shredded, shred::run(context, {victim}, shred_options(context)));
  if (!shredded.outstanding.empty())
    return fail(Errc::partly_done,
                "recording " + change.id.text() +
                    " is locked for good but its shred is outstanding: its recorder has to end first; purge retries");
  report.shredded = shredded.shredded > 0;
  return report;
}

Result<void> Vault::hold(const Person& person, const HoldOptions& options) {
  if (options.matter.empty() || options.matter.size() > kMaxMatterBytes)
    return fail(Errc::usage, "a hold names its matter in at most 128 bytes");
  CALLVAULT_TRY_ASSIGN(const auto session, Session::begin(*impl_, Access::change, person.name()));
  CALLVAULT_TRY(session->require(person, {Role::officer}, "hold"));
  auto& context = session->context();
  CALLVAULT_TRY(capture::settle(context, capture::SettleMode::finished));
  if (options.until && *options.until <= context.now) return fail(Errc::usage, "the hold would have ended already");
  CALLVAULT_TRY_ASSIGN(const auto found, locate(context, options.id));
  const auto outstanding = outstanding_of(context.state.directory());
  if (outstanding.contains(options.id))
    return fail(Errc::refused, "recording " + options.id.text() + " is being erased; a hold comes too late");
  std::map<std::string, std::string> facts{{"id", options.id.text()}};
  if (options.until) facts.emplace("until", base::utc_text(*options.until));
  CALLVAULT_TRY_ASSIGN(const auto entry, entry_with_note(context, "held", std::move(facts), found.row, options.matter));
  return rewrite_row(
      context, found, entry,
      [&](NodeRow& row) {
        std::erase_if(row.holds, [&](const Hold& h) { return h.matter == options.matter; });
        row.holds.push_back({options.matter, options.until});
      },
      false);
}

Result<void> Vault::unhold(const Person& person, const RecordingId& id, const std::string& matter) {
  CALLVAULT_TRY_ASSIGN(const auto session, Session::begin(*impl_, Access::change, person.name()));
  CALLVAULT_TRY(session->require(person, {Role::officer}, "unhold"));
  auto& context = session->context();
  CALLVAULT_TRY(capture::settle(context, capture::SettleMode::finished));
  CALLVAULT_TRY_ASSIGN(const auto found, locate_stored(context, id));
  const auto same = [&](const Hold& h) { return h.matter == matter; };
  if (std::none_of(found.row.holds.begin(), found.row.holds.end(), same))
    return fail(Errc::not_found, "recording " + id.text() + " has no such hold");
  CALLVAULT_TRY_ASSIGN(const auto entry, entry_with_note(context, "unheld", {{"id", id.text()}}, found.row, matter));
  return rewrite_row(
      context, found, entry, [&](NodeRow& row) { std::erase_if(row.holds, same); }, false);
}

Result<EraseReport> Vault::erase(const Person& person, const EraseOptions& options) {
  if (options.ids.empty() == !options.caller.has_value())
    return fail(Errc::usage, "erase either recordings by id or everything of one caller");
  if (!is_reference(options.request))
    return fail(Errc::usage,
                "a request's reference is 1 to 64 letters, digits or - _ . / : # (names belong to the reason)");
  CALLVAULT_TRY_ASSIGN(const auto session, Session::begin(*impl_, Access::change, person.name()));
  CALLVAULT_TRY(session->require(person, {Role::officer}, "erase"));
  auto& context = session->context();
  CALLVAULT_TRY(capture::settle(context, capture::SettleMode::everything));

  std::vector<RecordingId> ids = options.ids;
  if (options.caller) {
    CALLVAULT_TRY_ASSIGN(const auto number, base::normalise_number(*options.caller, context.config.country_code));
    std::vector<catalog::BucketKey> keys;
    for (const auto& [n, bucket] : context.state.directory().buckets)
      keys.push_back({n, bucket.generation, &bucket.index_key});
    for (const auto field : {catalog::Field::caller, catalog::Field::called}) {
      CALLVAULT_TRY_ASSIGN(const auto hits, context.catalog.lookup_all(keys, field, number));
      if (!hits.stale.empty()) return fail(Errc::corrupt, "the catalogue is behind the key state; run reindex");
      for (const auto& hit : hits.found) ids.push_back(hit.id);
    }
    if (ids.empty()) return fail(Errc::not_found, "no recording of that number");
  }
  std::sort(ids.begin(), ids.end());
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());

  EraseReport report;
  report.dry_run = options.dry_run;
  std::vector<shred::Victim> victims;
  std::vector<journal::Entry> accepted, refused;
  for (const auto& id : ids) {
    auto found = locate_stored(context, id);
    ItemOutcome item{id, false, Errc::unexpected, {}};
    if (!found) {
      item.code = found.error().code;
      item.reason = found.error().message;
    } else if (is_held(found->row, context.now)) {
      item.code = Errc::refused;
      item.reason = retention::kHeld;
    } else if (found->row.restricted) {
      item.code = Errc::refused;
      item.reason = retention::kRestricted;
    } else {
      item.done = true;
      victims.push_back({id, found->bucket, "erased", std::nullopt});
    }
    if (!options.dry_run && found) {
      CALLVAULT_TRY_ASSIGN(
          auto entry, entry_with_note(context, item.done ? "erasure_accepted" : "erasure_refused",
                                      {{"id", id.text()}, {"result", item.done ? "accepted" : item.reason}}, found->row,
                                      note_of(options)));
      (item.done ? accepted : refused).push_back(std::move(entry));
    }
    report.items.push_back(std::move(item));
  }
  if (options.dry_run) return report;
  // One request is about one person. Named beside what is erased, what is kept would tell for ever whose that was.
  if (!accepted.empty())
    for (auto& entry : refused) {
      entry.facts.erase("id");
      entry.note.clear();
      entry.note_key.clear();
    }
  accepted.insert(accepted.end(), std::make_move_iterator(refused.begin()), std::make_move_iterator(refused.end()));
  CALLVAULT_TRY(context.log.append(accepted));
  if (victims.empty()) return report;
  CALLVAULT_TRY_ASSIGN(const auto shredded, shred::run(context, std::move(victims), shred_options(context)));
  report.epoch = shredded.epoch;
  for (auto& item : report.items) {
    if (std::find(shredded.outstanding.begin(), shredded.outstanding.end(), item.id) == shredded.outstanding.end())
      continue;
    item.done = false;
    item.code = Errc::partly_done;
    item.reason = "outstanding: a stalled recorder still holds its intake key; the next purge retries";
  }
  return report;
}

Result<PurgeReport> Vault::purge(const PurgeOptions& options) {
  CALLVAULT_TRY_ASSIGN(const auto session, Session::begin(*impl_, Access::change, ""));
  auto& context = session->context();
  PurgeReport report;
  report.dry_run = options.dry_run;
  const retention::Rules rules = rules_of(context, options.confirm);
  // A clock that runs backwards must not even settle.
  if (options.confirm || !retention::is_clock_behind(rules)) {
    CALLVAULT_TRY_ASSIGN(const auto settled, capture::settle(context, capture::SettleMode::finished));
    report.settled = settled.settled;
  }
  CALLVAULT_TRY_ASSIGN(auto planned, make_plan(context, rules));
  report.kept = planned.plan.kept;
  report.expired = planned.plan.expired;
  report.refused = planned.plan.refused;
  std::vector<shred::Victim> victims;
  for (std::size_t i = 0; i < planned.plan.items.size(); ++i) {
    auto& item = planned.plan.items[i];
    if (item.decision == Decision::keep) continue;
    if (item.decision == Decision::expire) {
      std::string reason = item.reason;
      // What was asked for keeps the reason it was asked for.
      for (const auto& o : context.state.directory().outstanding)
        if (o.id == item.id) reason = o.reason;
      if (planned.partial[i].empty()) victims.push_back({item.id, planned.buckets[i], reason, std::nullopt});
      for (const auto track : planned.partial[i]) victims.push_back({item.id, planned.buckets[i], reason, track});
    }
    report.plan.push_back(std::move(item));
  }
  report.epoch = context.state.directory().epoch;
  const auto guard = retention::guard_clock(planned.plan, rules);
  if (options.dry_run) return report;
  CALLVAULT_TRY(guard);

  bool retire = false;
  for (const auto& [id, key] : context.state.directory().intake)
    retire = retire || context.now - key.created > kIntakeLife;
  if (!victims.empty() || retire) {
    auto how = shred_options(context);
    how.retire_all_intake = retire;
    how.progress = options.progress;
    CALLVAULT_TRY_ASSIGN(const auto shredded, shred::run(context, std::move(victims), how));
    report.shredded = shredded.shredded;
    report.outstanding = shredded.outstanding.size();
    report.buckets_rewritten = shredded.buckets_rewritten;
    report.buckets_dropped = shredded.buckets_dropped;
    report.epoch = shredded.epoch;
    report.irrecoverable_ms = shredded.irrecoverable_ms;
    report.cleaned_ms = shredded.cleaned_ms;
  }
  CALLVAULT_TRY(context.log.append("purged", {{"shredded", std::to_string(report.shredded)},
                                              {"outstanding", std::to_string(report.outstanding)},
                                              {"refused", std::to_string(report.refused)},
                                              {"kept", std::to_string(report.kept)}}));
  CALLVAULT_TRY(context.log.pin_head());
  context.state.edit().last_purge = std::max(context.now, rules.last_purge.value_or(context.now));
  CALLVAULT_TRY(context.state.commit());
  return report;
}

Result<StatusReport> Vault::status() {
  CALLVAULT_TRY_ASSIGN(const auto session, Session::begin(*impl_, Access::look, ""));
  auto& context = session->context();
  StatusReport out;
  out.organisation = context.config.organisation;
  out.time_zone = context.config.time_zone;
  CALLVAULT_TRY_ASSIGN(const auto incoming, capture::count_unsettled(context.layout));
  out.unsettled = incoming.waiting;
  out.in_progress = incoming.in_progress;
  const auto& directory = context.state.directory();
  const auto outstanding = outstanding_of(directory);
  const auto rules = rules_of(context, std::nullopt);
  CALLVAULT_TRY(survey(context, [&](const keys::Bucket&, const NodeRow& row) -> Result<void> {
    ++out.recordings;
    if (is_held(row, context.now)) ++out.held;
    const auto item = retention::decide(candidate_of(row, outstanding), rules);
    // Due and not yet a day late: the nightly purge is still to come.
    if (item.decision == Decision::expire && context.now - item.due > std::chrono::hours(24)) ++out.overdue;
    if (item.decision == Decision::keep && (!out.next_expiry || item.due < *out.next_expiry))
      out.next_expiry = item.due;
    return {};
  }));
  out.outstanding = directory.outstanding.size();
  out.last_purge = directory.last_purge;
  out.epoch = directory.epoch;
  out.buckets = directory.buckets.size();
  CALLVAULT_TRY_ASSIGN(const auto head, context.log.journal().head());
  out.journal_size = head.size;
  CALLVAULT_TRY(context.catalog.for_each_tombstone([&](const Tombstone&) { return ++out.shredded > 0; }));
  return out;
}

}  // namespace callvault
