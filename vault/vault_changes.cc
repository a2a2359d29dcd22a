// What people decide about a recording: consent, holds, erasure.
#include <algorithm>
#include <set>

#include "base/phone.h"
#include "base/text.h"
#include "capture/control.h"
#include "context/opt_out.h"
#include "context/rows.h"
#include "retention/plan.h"
#include "session.h"

namespace callvault {
namespace {

using keys::NodeRow;

constexpr std::size_t kMaxMatterBytes = 128;
constexpr std::chrono::seconds kEndPatience{2};

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

bool is_reference(std::string_view text) {
  constexpr std::string_view kAllowed = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_./:#";
  return !text.empty() && text.size() <= 64 && text.find_first_not_of(kAllowed) == std::string_view::npos;
}

// The reference is sealed too: in the clear it would tie the recordings of one request to each other.
std::string note_of(const EraseOptions& options) {
  return "request " + options.request + (options.reason.empty() ? "" : ": " + options.reason);
}

// Who withdraws is not recorded again (S36). Durable with the commit of the change itself.
Result<bool> opt_out_of(context::Context& context, const Located& found) {
  const keys::Bucket& bucket = context.state.directory().buckets.at(found.bucket);
  CALLVAULT_TRY_ASSIGN(const auto details, context::row_of(context, bucket, found.row));
  const bool outbound = details.direction == Direction::out && !details.called.empty();
  const std::string& number = outbound ? details.called : details.caller;
  if (number.empty()) return false;
  CALLVAULT_TRY_ASSIGN(auto opt_outs, context::OptOuts::load(context));
  if (opt_outs.add(number, {context.now, ""})) CALLVAULT_TRY(opt_outs.stage(context));
  return true;
}

bool caller_is_apart(const NodeRow& row) {
  return std::any_of(row.tracks.begin(), row.tracks.end(), [](const auto& t) { return t.name == TrackName::caller; });
}

}  // namespace

Result<ConsentReport> Vault::set_consent(const Person& person, const ConsentChange& change) {
  if (change.consent != Consent::granted && change.consent != Consent::refused && change.consent != Consent::withdrawn)
    return fail(Errc::usage, "consent is set to granted, refused or withdrawn");
  CALLVAULT_TRY_ASSIGN(const auto session, Session::begin(*impl_, Access::change, person.name()));
  CALLVAULT_TRY(session->require(person, {Role::officer, Role::operator_}, "consent"));
  auto& context = session->context();
  ConsentReport report;
  report.id = change.id;
  // First of all, whatever else the recording rests on (S07): nothing more is said into it while the rest is done.
  if (change.consent != Consent::granted) {
    CALLVAULT_TRY_ASSIGN(report.ended, capture::end_call(context.layout, change.id, kEndPatience));
  }
  CALLVAULT_TRY(capture::settle(context, capture::SettleMode::everything));
  CALLVAULT_TRY_ASSIGN(const auto found, locate(context, change.id));
  std::map<std::string, std::string> facts{{"id", change.id.text()},
                                           {"party", std::string(to_word(change.party))},
                                           {"consent", std::string(to_word(change.consent))}};
  if (report.ended) facts.emplace("ended", "yes");
  CALLVAULT_TRY_ASSIGN(const auto entry,
                       entry_with_note(context, "consent_changed", std::move(facts), found.row, change.evidence));
  // Only what rests on consent alone goes; a hold keeps even that.
  if (found.row.basis != Basis::consent) report.kept_because = std::string(to_word(found.row.basis));
  if (is_held(found.row, context.now)) report.kept_because = "held";
  if (found.row.restricted) report.kept_because = "restricted";
  const bool goes = change.consent != Consent::granted && report.kept_because.empty();
  report.agent_kept = goes && change.keep_agent && change.party == Party::caller && agent_is_apart(found.row);
  shred::Victim victim{
      change.id, found.bucket,
      std::string(change.consent == Consent::refused ? retention::kConsentRefused : retention::kConsentWithdrawn),
      std::nullopt};
  if (change.party == Party::agent && agent_is_apart(found.row)) victim.track = TrackName::agent;
  const bool nothing_goes = report.agent_kept && !caller_is_apart(found.row);
  if (report.agent_kept) victim.track = TrackName::caller;
  // A crash from here on must not take the agent's voice: the purge would know of the consent alone.
  if (report.agent_kept && !nothing_goes) CALLVAULT_TRY(shred::keep_outstanding(context, {victim}));
  if (change.consent == Consent::withdrawn && change.party == Party::caller) {
    CALLVAULT_TRY_ASSIGN(report.opted_out, opt_out_of(context, found));
  }
  CALLVAULT_TRY(rewrite_row(
      context, found, entry,
      [&](NodeRow& row) {
        (change.party == Party::caller ? row.caller_consent : row.agent_consent) = change.consent;
        // It is also since when the other party's consent is pending.
        const Consent other = change.party == Party::caller ? row.agent_consent : row.caller_consent;
        if (other != Consent::pending) row.consent_since = context.now;
        row.caller_shredded = row.caller_shredded || nothing_goes;
      },
      true));
  if (change.consent == Consent::granted) report.kept_because.clear();
  if (!goes || nothing_goes) return report;
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

Result<void> Vault::restrict(const Person& person, const RecordingId& id, bool restricted, const std::string& reason) {
  CALLVAULT_TRY_ASSIGN(const auto session, Session::begin(*impl_, Access::change, person.name()));
  CALLVAULT_TRY(session->require(person, {Role::officer}, restricted ? "restrict" : "unrestrict"));
  auto& context = session->context();
  CALLVAULT_TRY(capture::settle(context, capture::SettleMode::finished));
  CALLVAULT_TRY_ASSIGN(const auto found, restricted ? locate(context, id) : locate_stored(context, id));
  if (found.row.restricted == restricted)
    return fail(Errc::refused, "recording " + id.text() + (restricted ? " is" : " is not") + " restricted");
  if (restricted && outstanding_of(context.state.directory()).contains(id))
    return fail(Errc::refused, "recording " + id.text() + " is being erased; a restriction comes too late");
  CALLVAULT_TRY_ASSIGN(const auto entry, entry_with_note(context, restricted ? "restricted" : "unrestricted",
                                                         {{"id", id.text()}}, found.row, reason));
  return rewrite_row(
      context, found, entry, [&](NodeRow& row) { row.restricted = restricted; }, false);
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
  // A full disk keeps nobody from being erased whose calls are settled.
  auto settling = capture::settle(context, capture::SettleMode::everything);
  if (!settling && settling.error().code != Errc::no_space) return std::move(settling).error();
  CALLVAULT_TRY_ASSIGN(const auto waiting, capture::count_unsettled(context.layout));
  const std::uint64_t unread = settling ? settling->problems.size() : waiting.waiting;

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
    // Whose calls those are that cannot be read, nobody knows.
    if (ids.empty() && unread > 0)
      return fail(Errc::partly_done, "no recording of that number among those that can be read; " +
                                         std::to_string(unread) + " in incoming/ cannot: 'callvault check' names them");
    if (ids.empty()) return fail(Errc::not_found, "no recording of that number");
  }
  std::sort(ids.begin(), ids.end());
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());

  EraseReport report;
  report.dry_run = options.dry_run;
  if (options.caller) report.unreadable = unread;
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
  // Before it is journalled as accepted: an erasure that was accepted is carried out.
  CALLVAULT_TRY(shred::keep_outstanding(context, victims));
  const auto kept = [](Error why) {
    why.message += "; the erasure is kept, and the next purge carries it out";
    return why;
  };
  const bool any = !victims.empty();
  if (const auto said = context.log.append(accepted); !said) return any ? kept(said.error()) : said.error();
  if (!any) return report;
  const auto done = shred::run(context, std::move(victims), shred_options(context));
  if (!done) return kept(done.error());
  const shred::Report& shredded = *done;
  report.epoch = shredded.epoch;
  for (auto& item : report.items) {
    if (std::find(shredded.outstanding.begin(), shredded.outstanding.end(), item.id) == shredded.outstanding.end())
      continue;
    item.done = false;
    item.code = Errc::partly_done;
    item.reason =
        "outstanding: an intake key it was sealed to is still needed, by a recorder or by an unreadable file "
        "in incoming/; the next purge retries";
  }
  return report;
}

}  // namespace callvault
