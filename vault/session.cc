#include "session.h"

#include <algorithm>
#include <charconv>

#include "capture/folded.h"
#include "context/rows.h"
#include "context/tombstones.h"
#include "objected.h"
#include "over_socket.h"
#include "retention/plan.h"
#include "sealed/names.h"
#include "shred/intent.h"

namespace callvault {
namespace {

// A lock held by somebody else must not keep a listing waiting.
constexpr std::chrono::milliseconds kSettlePatience{50};

Result<bool> catalog_is_current(const Vault::Impl& vault, const keys::Directory& directory) {
  CALLVAULT_TRY_ASSIGN(const auto held, vault.catalog->generations());
  if (held.size() != directory.buckets.size()) return false;
  return std::all_of(held.begin(), held.end(), [&](const auto& item) {
    const auto it = directory.buckets.find(item.first);
    return it != directory.buckets.end() && it->second.generation == item.second;
  });
}

}  // namespace

Result<std::unique_ptr<Session>> Session::begin(Vault::Impl& vault, Access access, std::string actor) {
  if (vault.remote) return only_at_home();
  vault.catalog->forget_failed_commit();
  for (int round = 0;; ++round) {
    const bool changes = access == Access::change || access == Access::rebuild;
    const auto mode = changes ? os::LockMode::exclusive : os::LockMode::shared;
    CALLVAULT_TRY_ASSIGN(auto lock, os::Lock::acquire(vault.layout.state_lock(), mode, vault.patience));
    if (changes) CALLVAULT_TRY(vault.journal->require_checkpoint());  // what cannot be journalled must not begin
    auto state = keys::KeyState::load(vault.layout, *vault.keeper,
                                      changes ? keys::KeyState::Access::change : keys::KeyState::Access::look);
    if (!state) return std::move(state).error();
    std::unique_ptr<Session> session(new Session(vault, std::move(lock), std::move(*state)));
    CALLVAULT_TRY(session->check_journal());
    const Time now = vault.clock->now();
    session->log_ = std::make_unique<context::Log>(*vault.journal, session->state_, std::move(actor), now);
    session->context_ = std::make_unique<context::Context>(
        context::Context{vault.layout, vault.config, vault.zone, session->state_, *vault.catalog, *session->log_, now});
    if (changes) {
      CALLVAULT_TRY(session->recover(access == Access::rebuild));
      return session;
    }
    if (access == Access::look_up && !shred::is_pending(vault.layout)) return session;
    auto current = catalog_is_current(vault, session->directory());
    if (current && *current && !shred::is_pending(vault.layout)) return session;
    if (!current && current.error().code != Errc::corrupt) return std::move(current).error();
    if (round == 3) return fail(Errc::busy, "the catalogue changes faster than it can be read; try again");
    // Somebody has to finish what a crash left or bring the catalogue up to date: this process, under the lock.
    actor = session->log_->actor();
    session.reset();
    CALLVAULT_TRY(begin(vault, Access::change, actor));
  }
}

// A journal that was cut or exchanged must not be built upon: its tombstones are what is left of the shredded.
Result<void> Session::check_journal() {
  const auto& directory = state_.directory();
  const auto remembered = vault_.journal->head_at(directory.journal_size);
  if (!remembered && remembered.error().code == Errc::not_found) {
    CALLVAULT_TRY_ASSIGN(const auto head, vault_.journal->head());
    return fail(Errc::corrupt, "the journal has " + std::to_string(head.size) + " entries, the directory remembers " +
                                   std::to_string(directory.journal_size) +
                                   ": it was cut or an old copy was brought back");
  }
  if (!remembered) return remembered.error();
  if (directory.journal_size > 0 && remembered->root != directory.journal_root)
    return fail(Errc::corrupt, "the journal is not the one the directory remembers");
  return check_no_later_shred();
}

// A mirror that was away still opens the directory of then. Without its first keeper only the journal can tell that
// this is an old one.
Result<void> Session::check_no_later_shred() {
  if (state_.opened_instead().empty()) return {};
  std::uint64_t last = 0;
  CALLVAULT_TRY(vault_.journal->for_each(
      directory().journal_size, [&](std::uint64_t, const journal::Entry& entry) -> Result<bool> {
        const auto epoch = entry.facts.find("epoch");
        if (entry.event == shred::kDoneEvent && epoch != entry.facts.end())
          (void)std::from_chars(epoch->second.data(), epoch->second.data() + epoch->second.size(), last);
        return last <= directory().epoch;
      }));
  if (last <= directory().epoch) return {};
  return fail(Errc::corrupt, "the journal knows of a shred in epoch " + std::to_string(last) +
                                 ", and the mirror opens keys/directory of epoch " + std::to_string(directory().epoch) +
                                 ": an old copy was brought back");
}

Result<void> Session::bring_in_mirrors() {
  CALLVAULT_TRY_ASSIGN(const bool brought, state_.bring_in_mirrors());
  if (!brought && state_.finalised() == 0) return {};
  CALLVAULT_TRY(log_->append("mirrors_current", {{"epoch", std::to_string(directory().epoch)},
                                                 {"final", std::to_string(state_.finalised())}}));
  CALLVAULT_TRY(log_->pin_head());
  return state_.commit();
}

Result<void> Session::make_catalog_anew() {
  CALLVAULT_TRY(catalog::Catalog::discard(vault_.layout.catalog(), vault_.patience));
  CALLVAULT_TRY_ASSIGN(auto fresh, catalog::Catalog::open(vault_.layout.catalog()));
  *vault_.catalog = std::move(fresh);
  return {};
}

Result<void> Session::recover(bool rebuild) {
  state_.use_spare(true);  // or a crash on a full disk would stop every purge, and so would the first of a month
  if (rebuild) CALLVAULT_TRY(make_catalog_anew());
  Result<void> refreshed = context::refresh_catalog(*context_);
  if (!refreshed && refreshed.error().code == Errc::corrupt) {
    // Derived, so a damaged one is simply made again. Key state damage shows up again below, and stays an error.
    CALLVAULT_TRY(make_catalog_anew());
    refreshed = context::refresh_catalog(*context_);
  }
  CALLVAULT_TRY(std::move(refreshed));
  CALLVAULT_TRY_ASSIGN(finished_, shred::finish_pending(*context_));
  CALLVAULT_TRY(bring_in_mirrors());
  CALLVAULT_TRY_ASSIGN(const bool edited, context::ensure_staff_keys(state_.edit(), context_->now));
  if (edited) CALLVAULT_TRY(state_.commit());
  state_.use_spare(false);
  (void)state_.refill_spare();  // doctor tells when there is no room
  vault_.journal->keep_room();
  return {};
}

Result<void> Session::start_over() {
  vault_.catalog->forget_failed_commit();
  CALLVAULT_TRY_ASSIGN(state_, keys::KeyState::load(vault_.layout, *vault_.keeper, keys::KeyState::Access::change));
  return recover(false);
}

std::string wait_for_mirrors(const std::vector<std::string>& mirrors) {
  std::string names;
  for (const auto& mirror : mirrors) names += (names.empty() ? "" : " and ") + mirror;
  return "gone from the vault, and not final: the keeper in " + names +
         " still holds the old root key; bring it back, then run purge";
}

Result<void> shred_objected(context::Context& context, const std::vector<RecordingId>& ids) {
  std::vector<shred::Victim> victims;
  for (const auto& id : ids) {
    const auto found = locate_stored(context, id);
    if (found) victims.push_back({id, found->bucket, std::string(retention::kConsentRefused), std::nullopt});
  }
  if (!victims.empty()) CALLVAULT_TRY(shred::run(context, std::move(victims), shred_options(context)));
  return {};
}

Result<std::uint64_t> settle_if_free(Vault::Impl& vault) {
  if (vault.remote) return only_at_home();
  CALLVAULT_TRY_ASSIGN(const auto before, capture::count_unsettled(vault.layout));
  if (before.waiting == 0) return std::uint64_t{0};
  const auto patience = std::exchange(vault.patience, kSettlePatience);
  auto session = Session::begin(vault, Access::change, "");
  vault.patience = patience;
  if (!session && session.error().code == Errc::busy) return before.waiting;
  if (!session) return std::move(session).error();
  const auto report = capture::settle((*session)->context(), capture::SettleMode::finished);
  if (!report && report.error().code == Errc::no_space) return before.waiting;
  if (!report) return report.error();
  CALLVAULT_TRY(shred_objected((*session)->context(), report->objected));
  return static_cast<std::uint64_t>(report->problems.size());
}

Result<Located> locate_stored(context::Context& context, const RecordingId& id) {
  CALLVAULT_TRY_ASSIGN(const auto stored, context.catalog.get(id));
  if (stored) {
    CALLVAULT_TRY_ASSIGN(auto node, context.state.open_node(stored->bucket));
    CALLVAULT_TRY_ASSIGN(auto row, node.find(id));
    if (row) return Located{stored->bucket, std::move(node), std::move(*row)};
  }
  CALLVAULT_TRY_ASSIGN(const auto tombstone, context.catalog.tombstone(id));
  if (tombstone)
    return fail(Errc::gone, "recording " + id.text() + " is gone: shredded on " +
                                context.zone.rfc3339(tombstone->shredded_at) + " (" + tombstone->reason + ")");
  CALLVAULT_TRY_ASSIGN(const auto names, os::list_folder(context.layout.incoming()));
  for (const auto& text : names)
    if (const auto name = sealed::parse_file_name(text); name && name->id == id)
      return fail(Errc::busy, "recording " + id.text() + " is not settled yet");
  CALLVAULT_TRY(capture::tell_folded(context, id));
  return fail(Errc::not_found, "no recording " + id.text());
}

Result<Located> locate(context::Context& context, const RecordingId& id) {
  CALLVAULT_TRY_ASSIGN(auto found, locate_stored(context, id));
  if (state_of(found.row, context.now) == State::expired)
    return fail(Errc::gone, "recording " + id.text() + " expired on " + context.zone.rfc3339(found.row.expires_at));
  return found;
}

bool is_held(const keys::NodeRow& row, Time now) {
  return std::any_of(row.holds.begin(), row.holds.end(), [&](const Hold& h) { return !h.until || now < *h.until; });
}

State state_of(const keys::NodeRow& row, Time now) {
  if (is_held(row, now)) return State::held;
  if (retention::is_expired(row.expires_at, now)) return State::expired;
  if (row.restricted) return State::restricted;
  return row.in_progress ? State::in_progress : State::live;
}

CallRecord to_record(const keys::Bucket& bucket, const keys::NodeRow& row, const catalog::Row& details, Time now) {
  CallRecord out;
  out.id = row.id;
  out.started_at = row.started_at;
  out.ended_at = details.ended_at;
  if (details.duration_ms) out.duration_s = static_cast<double>(*details.duration_ms) / 1000.0;
  out.expires_at = row.expires_at;
  out.direction = details.direction;
  out.caller = details.caller;
  out.called = details.called;
  out.agent = details.agent;
  out.call_id = details.call_id;
  out.retention_class = bucket.retention_class;
  out.notice = details.notice;
  out.notice_played = details.notice_played;
  out.basis = row.basis;
  out.consents = {{Party::caller, row.caller_consent}, {Party::agent, row.agent_consent}};
  out.state = state_of(row, now);
  out.flags = row.flags;
  for (const auto& t : details.tracks)
    if (std::any_of(row.tracks.begin(), row.tracks.end(),
                    [&](const auto& s) { return s.name == t.name && s.segment == t.segment; }))
      out.tracks.push_back(t);
  for (const auto& h : row.holds)
    if (!h.until || now < *h.until) out.holds.push_back(h);
  for (const auto& c : row.corrections) out.rectified.emplace_back(keys::field_name(c.field));
  if (row.deferred) out.deferred_erasure = row.deferred->request;
  return out;
}

Result<void> survey(context::Context& context,
                    const std::function<Result<void>(const keys::Bucket&, const keys::NodeRow&)>& visit) {
  for (const auto& [number, bucket] : context.state.directory().buckets) {
    CALLVAULT_TRY_ASSIGN(const auto node, context.state.open_node(number));
    for (std::size_t i = 0; i < node.size(); ++i) {
      CALLVAULT_TRY_ASSIGN(const auto row, node.row(i));
      CALLVAULT_TRY(visit(bucket, row));
    }
  }
  return {};
}

std::set<RecordingId> outstanding_of(const keys::Directory& directory) {
  std::set<RecordingId> out;
  for (const auto& o : directory.outstanding) out.insert(o.id);
  return out;
}

bool agent_is_apart(const keys::NodeRow& row) {
  return std::any_of(row.tracks.begin(), row.tracks.end(), [](const auto& t) { return t.name == TrackName::agent; });
}

shred::Options shred_options(context::Context& context) {
  shred::Options out;
  out.settle_everything = [&context]() -> Result<std::vector<std::uint32_t>> {
    CALLVAULT_TRY_ASSIGN(auto report, capture::settle(context, capture::SettleMode::everything));
    return std::move(report.failed_intake);
  };
  return out;
}

}  // namespace callvault
