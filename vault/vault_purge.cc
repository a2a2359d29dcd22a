// What time decides: the nightly purge, and what is due.
#include <algorithm>
#include <map>
#include <set>

#include "context/aliases.h"
#include "context/opt_out.h"
#include "context/rows.h"
#include "registers.h"
#include "retention/plan.h"
#include "rights/approvals.h"
#include "rights/breaches.h"
#include "rights/requests.h"
#include "subject.h"

namespace callvault {
namespace {

using keys::NodeRow;

// Intake keys rotate nightly: a purge retires those that are older than this, so that two purges a night do not.
constexpr std::chrono::hours kIntakeLife{20};

retention::Candidate candidate_of(const NodeRow& row, const std::set<RecordingId>& outstanding) {
  retention::Candidate out;
  out.id = row.id;
  out.started_at = row.started_at;
  out.expires_at = row.expires_at;
  out.caller_consent = context::deciding_caller_consent(row);
  out.agent_consent = context::deciding_agent_consent(row);
  out.basis = row.basis;
  out.held = !row.holds.empty();
  out.held_until = context::latest_hold_end(row);
  out.restricted = row.restricted;
  out.in_progress = row.in_progress;
  out.consent_since = row.consent_since;
  out.erase_requested = outstanding.contains(row.id);
  return out;
}

Result<retention::Rules> rules_of(const context::Context& context, std::optional<std::uint64_t> confirm) {
  retention::Rules rules;
  rules.now = context.now;
  rules.pending_grace = context.config.pending_grace;
  rules.last_purge = context.state.directory().last_purge;
  if (!rules.last_purge) {
    CALLVAULT_TRY_ASSIGN(const auto creation, context.log.journal().entry(0));
    rules.last_purge = creation.at;
  }
  rules.confirm = confirm;
  return rules;
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
  if (out.contains(TrackName::caller)) rest.caller_consent = Consent::granted;
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

enum class Room : std::uint8_t {
  plenty,
  scarce,  // the disk is full: nothing is settled, and buckets go one by one, since that is what room is set aside for
};

// With little room calls that wait to be settled go on waiting. They need their intake keys then, and a victim sealed
// to one of those is put off.
shred::Options how_to_shred(context::Context& context, Room room, const Progress& progress) {
  auto out = shred_options(context);
  out.progress = progress;
  if (room == Room::plenty) return out;
  out.settle_everything = [&context]() -> Result<std::vector<std::uint32_t>> {
    CALLVAULT_TRY_ASSIGN(const auto incoming, capture::count_unsettled(context.layout));
    std::vector<std::uint32_t> needed;
    if (incoming.waiting + incoming.in_progress == 0) return needed;
    for (const auto& item : context.state.directory().intake) needed.push_back(item.first);
    return needed;
  };
  return out;
}

std::vector<std::vector<shred::Victim>> batches_of(std::vector<shred::Victim> victims, Room room) {
  std::vector<std::vector<shred::Victim>> out;
  if (room == Room::plenty) {
    out.push_back(std::move(victims));
    return out;
  }
  std::map<std::uint32_t, std::vector<shred::Victim>> by_bucket;
  for (auto& victim : victims) by_bucket[victim.bucket].push_back(std::move(victim));
  for (auto& item : by_bucket) out.push_back(std::move(item.second));
  return out;
}

void add(PurgeReport& report, const shred::Report& shredded) {
  report.shredded += shredded.shredded;
  report.outstanding += shredded.outstanding.size();
  if (!shredded.mirrors_behind.empty()) report.mirrors_behind = shredded.mirrors_behind;
  report.buckets_rewritten += shredded.buckets_rewritten;
  report.buckets_dropped += shredded.buckets_dropped;
  report.epoch = shredded.epoch;
  report.irrecoverable_ms += shredded.irrecoverable_ms;
  report.cleaned_ms += shredded.cleaned_ms;
}

std::vector<shred::Victim> victims_of(const keys::Directory& directory, const PurgePlan& planned) {
  std::vector<shred::Victim> out;
  for (std::size_t i = 0; i < planned.plan.items.size(); ++i) {
    const auto& item = planned.plan.items[i];
    if (item.decision != Decision::expire) continue;
    std::string reason = item.reason;
    // What was asked for keeps the reason it was asked for.
    for (const auto& o : directory.outstanding)
      if (o.id == item.id) reason = o.reason;
    if (planned.partial[i].empty()) out.push_back({item.id, planned.buckets[i], reason, std::nullopt});
    for (const auto track : planned.partial[i]) out.push_back({item.id, planned.buckets[i], reason, track});
  }
  return out;
}

// What the registers need no longer: requests closed long ago, alias groups of long ago. Staged before the shred, so
// that its rotation is what forgets them. A damaged one stops no purge. True when something went.
Result<bool> prune_registers(context::Context& context, PurgeReport& report) {
  const auto prune = [&](auto loaded) -> Result<std::size_t> {
    if (!loaded) return loaded.error();
    CALLVAULT_TRY_ASSIGN(const auto pruned, loaded->prune(context));
    if (pruned > 0) CALLVAULT_TRY(loaded->stage(context));
    return pruned;
  };
  auto damaged = damaged_registers(context);
  report.damaged = damaged ? std::move(*damaged) : std::vector{damaged.error().message};
  std::map<std::string, std::string> facts;
  const auto take = [&](const char* name, const Result<std::size_t>& pruned) {
    if (!pruned && pruned.error().code != Errc::corrupt) report.damaged.push_back(pruned.error().message);
    if (pruned && *pruned > 0) facts.emplace(name, std::to_string(*pruned));
  };
  take("requests", prune(rights::Requests::load(context)));
  take("breaches", prune(rights::Breaches::load(context)));
  const auto& registers = context.state.directory().registers;
  if (registers.contains(std::string(context::kAliasRegister))) take("aliases", prune(context::Aliases::load(context)));
  if (registers.contains(std::string(rights::kApprovalsRegister)))
    take("approvals", prune(rights::Approvals::load(context)));
  if (facts.empty()) return false;
  CALLVAULT_TRY(context.log.append("registers_pruned", std::move(facts)));
  return true;
}

// Keepers that may still hold an older root, or open nothing of the present.
std::vector<std::string> behind(keys::KeyState& state) {
  std::vector<std::string> out;
  for (const auto& view : state.keepers())
    if (!view.entry.is_current() || view.entry.oldest < state.directory().epoch) out.push_back(view.path);
  return out;
}

// Adds to what an attempt before this one has reported.
Result<void> purge_with(Vault::Impl& vault, const PurgeOptions& options, Room room, PurgeReport& report) {
  CALLVAULT_TRY_ASSIGN(const auto session, Session::begin(vault, Access::change, ""));
  auto& context = session->context();
  report.shredded += context.state.finalised();
  if (room == Room::scarce) report.shredded += session->finished().recordings;  // which that attempt left unfinished
  CALLVAULT_TRY_ASSIGN(const retention::Rules rules, rules_of(context, options.confirm));
  // A clock that runs backwards must not even settle.
  if (room == Room::plenty && (options.confirm || !retention::is_clock_behind(rules))) {
    CALLVAULT_TRY_ASSIGN(const auto settled, capture::settle(context, capture::SettleMode::finished));
    report.settled = settled.settled;
    report.unsettled = settled.problems.size();
    report.problems = settled.problems;
  }
  if (room == Room::scarce) {
    CALLVAULT_TRY_ASSIGN(const auto incoming, capture::count_unsettled(context.layout));
    report.unsettled = incoming.waiting;
  }
  CALLVAULT_TRY_ASSIGN(auto planned, make_plan(context, rules));
  report.kept = planned.plan.kept;
  report.expired = std::max(report.expired, planned.plan.expired);
  report.refused = planned.plan.refused;
  report.epoch = context.state.directory().epoch;
  const auto guard = retention::guard_clock(planned.plan, rules);
  auto victims = victims_of(context.state.directory(), planned);
  if (report.plan.empty())
    for (auto& item : planned.plan.items)
      if (item.decision != Decision::keep) report.plan.push_back(std::move(item));
  if (options.dry_run) return {};
  CALLVAULT_TRY(guard);

  auto how = how_to_shred(context, room, options.progress);
  for (const auto& [id, key] : context.state.directory().intake)
    how.retire_all_intake = how.retire_all_intake || (room == Room::plenty && context.now - key.created > kIntakeLife);
  if (room == Room::plenty) {
    CALLVAULT_TRY_ASSIGN(how.rotate, prune_registers(context, report));
    for (auto& problem : wind_up(context, victims)) report.damaged.push_back(std::move(problem));
  }
  if (!victims.empty() || how.retire_all_intake || how.rotate) {
    for (auto& batch : batches_of(std::move(victims), room)) {
      (void)context.state.refill_spare();
      vault.journal->keep_room();
      CALLVAULT_TRY_ASSIGN(const auto shredded, shred::run(context, std::move(batch), how));
      add(report, shredded);
    }
  }
  if (report.mirrors_behind.empty() && context.state.waiting() > 0) {  // of a shred before this one
    report.outstanding += context.state.waiting();
    report.mirrors_behind = behind(context.state);
  }
  CALLVAULT_TRY(context.log.append("purged", {{"shredded", std::to_string(report.shredded)},
                                              {"outstanding", std::to_string(report.outstanding)},
                                              {"refused", std::to_string(report.refused)},
                                              {"kept", std::to_string(report.kept)}}));
  CALLVAULT_TRY(context.log.pin_head());
  context.state.use_spare(room == Room::scarce);
  // Who named the count has looked at the clock: a purge of a day that is still to come must not stop every later one.
  const bool confirmed = rules.confirm == planned.plan.expired;
  context.state.edit().last_purge =
      confirmed ? context.now : std::max(context.now, rules.last_purge.value_or(context.now));
  return context.state.commit();
}

}  // namespace

Result<PurgeReport> Vault::purge(const PurgeOptions& options) {
  PurgeReport report;
  report.dry_run = options.dry_run;
  auto done = purge_with(*impl_, options, Room::plenty, report);
  if (!done && done.error().code == Errc::no_space && !options.dry_run)
    done = purge_with(*impl_, options, Room::scarce, report);
  if (!done) return std::move(done).error();
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
  CALLVAULT_TRY_ASSIGN(out.damaged, damaged_registers(context));
  const auto is_readable = [](const auto& loaded) -> Result<bool> {
    if (!loaded && loaded.error().code != Errc::corrupt) return loaded.error();
    return loaded.has_value();
  };
  const auto requests = rights::Requests::load(context);
  CALLVAULT_TRY_ASSIGN(const bool has_requests, is_readable(requests));
  if (has_requests) {
    out.requests_open = out.requests_overdue = 0;
    for (const auto& request : requests->all()) {
      if (request.state != RequestState::closed) ++*out.requests_open;
      if (request.overdue) ++*out.requests_overdue;
    }
  }
  const auto breaches = rights::Breaches::load(context);
  CALLVAULT_TRY_ASSIGN(const bool has_breaches, is_readable(breaches));
  if (has_breaches) {
    out.breaches_open = out.breaches_overdue = 0;
    for (const auto& breach : breaches->all()) {
      if (!breach.closed) ++*out.breaches_open;
      if (breach.overdue) ++*out.breaches_overdue;
    }
  }
  const auto opt_outs = context::OptOuts::load(context);
  CALLVAULT_TRY_ASSIGN(const bool has_opt_outs, is_readable(opt_outs));
  if (has_opt_outs) out.opted_out = opt_outs->size();
  out.measures_review = context.config.people.review_date;
  CALLVAULT_TRY_ASSIGN(out.measures_review_due, is_review_due(context));
  const auto outstanding = outstanding_of(directory);
  CALLVAULT_TRY_ASSIGN(const auto rules, rules_of(context, std::nullopt));
  std::set<RecordingId> deferred;
  CALLVAULT_TRY(survey(context, [&](const keys::Bucket&, const NodeRow& row) -> Result<void> {
    ++out.recordings;
    if (outstanding.contains(row.id) && is_protected(row, context.now)) deferred.insert(row.id);
    if (is_held(row, context.now)) ++out.held;
    const auto item = retention::decide(candidate_of(row, outstanding), rules);
    // Due and not yet a day late: the nightly purge is still to come.
    if (item.decision == Decision::expire && context.now - item.due > std::chrono::hours(24)) ++out.overdue;
    if (item.decision == Decision::keep && (!out.next_expiry || item.due < *out.next_expiry))
      out.next_expiry = item.due;
    return {};
  }));
  out.deferred = deferred.size();
  for (const auto& o : directory.outstanding) out.outstanding += deferred.contains(o.id) ? 0U : 1U;
  out.outstanding += context.state.waiting();
  out.mirrors_behind = behind(context.state);
  out.keeper_lost = context.state.opened_instead();
  out.last_purge = directory.last_purge;
  out.epoch = directory.epoch;
  out.buckets = directory.buckets.size();
  CALLVAULT_TRY_ASSIGN(const auto head, context.log.journal().head());
  out.journal_size = head.size;
  CALLVAULT_TRY(context.catalog.for_each_tombstone([&](const Tombstone&) { return ++out.shredded > 0; }));
  return out;
}

}  // namespace callvault
