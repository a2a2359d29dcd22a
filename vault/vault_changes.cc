// What people decide about a recording: consent, holds, restrictions.
#include <algorithm>
#include <set>

#include "base/text.h"
#include "capture/control.h"
#include "context/opt_out.h"
#include "context/rows.h"
#include "dual_control.h"
#include "over_socket.h"
#include "retention/plan.h"
#include "row_changes.h"
#include "sealed/names.h"
#include "subject.h"

namespace callvault {
namespace {

using keys::NodeRow;

constexpr std::size_t kMaxMatterBytes = 128;
constexpr std::chrono::seconds kEndPatience{2};

// Takes a recording's row through a change that takes nothing away: a new node generation, the journal, the directory.
Result<void> rewrite_row(context::Context& context, const Located& found, const journal::Entry& entry,
                         const std::function<void(NodeRow&)>& change, bool index_changes) {
  RowChanges changes(context);
  CALLVAULT_TRY(changes.stage(found.bucket, {found.row.id}, change,
                              index_changes ? RowChanges::Index::changes : RowChanges::Index::same));
  CALLVAULT_TRY(context.log.append({entry}));
  CALLVAULT_TRY(context.log.pin_head());
  CALLVAULT_TRY(context.state.commit());
  // An old directory that is brought back alone then names a node that is missing.
  CALLVAULT_TRY(context.state.remove_superseded());
  return changes.follow();
}

Result<journal::Entry> entry_with_note(context::Context& context, std::string_view event,
                                       std::map<std::string, std::string> facts, const NodeRow& row,
                                       std::string_view note) {
  CALLVAULT_TRY_ASSIGN(auto entry, context.log.entry(event, std::move(facts)));
  CALLVAULT_TRY_ASSIGN(const auto secret, crypto::Key::copy_of(row.record_secret));
  CALLVAULT_TRY(context::Log::add_note(entry, row.id, secret, note));
  return entry;
}

// Who withdraws is not recorded again (S36). Durable with the commit of the change itself.
Result<bool> opt_out_of(context::Context& context, const Located& found) {
  const keys::Bucket& bucket = context.state.directory().buckets.at(found.bucket);
  CALLVAULT_TRY_ASSIGN(const auto details, context::row_of(context, bucket, found.row));
  const bool outbound = details.direction == Direction::out && !details.called.empty();
  const std::string& number = outbound ? details.called : details.caller;
  if (number.empty()) return false;
  CALLVAULT_TRY_ASSIGN(const auto numbers, numbers_of_person(context, {number}));
  CALLVAULT_TRY_ASSIGN(auto opt_outs, context::OptOuts::load(context));
  bool added = false;
  for (const auto& one : numbers) added = opt_outs.add(one, {context.now, ""}) || added;
  if (added) CALLVAULT_TRY(opt_outs.stage(context));
  return true;
}

bool caller_is_apart(const NodeRow& row) {
  return std::any_of(row.tracks.begin(), row.tracks.end(), [](const auto& t) { return t.name == TrackName::caller; });
}

// What is only deferred is protected, and may be once more.
bool is_being_erased(const context::Context& context, const NodeRow& row) {
  return outstanding_of(context.state.directory()).contains(row.id) && !is_protected(row, context.now);
}

}  // namespace

Result<ConsentReport> Vault::set_consent(const Person& person, const ConsentChange& change) {
  if (impl_->remote) return signed_call<ConsentReport>(*impl_, "consent", person, change);
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
  CALLVAULT_TRY_ASSIGN(const auto found, attempted(context, "consent", change.id, locate(context, change.id)));
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
  if (!shredded.mirrors_behind.empty())
    return fail(Errc::partly_done,
                "recording " + change.id.text() + " is " + wait_for_mirrors(shredded.mirrors_behind));
  if (!shredded.outstanding.empty())
    return fail(Errc::partly_done,
                "recording " + change.id.text() +
                    " is locked for good but its shred is outstanding: its recorder has to end first; purge retries");
  report.shredded = shredded.shredded > 0;
  return report;
}

Result<void> Vault::hold(const Person& person, const HoldOptions& options) {
  if (impl_->remote) return signed_call<void>(*impl_, "hold", person, options);
  if (options.matter.empty() || options.matter.size() > kMaxMatterBytes)
    return fail(Errc::usage, "a hold names its matter in at most 128 bytes");
  CALLVAULT_TRY_ASSIGN(const auto session, Session::begin(*impl_, Access::change, person.name()));
  CALLVAULT_TRY(session->require(person, {Role::officer}, "hold"));
  auto& context = session->context();
  CALLVAULT_TRY(capture::settle(context, capture::SettleMode::finished));
  if (options.until && *options.until <= context.now) return fail(Errc::usage, "the hold would have ended already");
  const auto found = attempted(context, "hold", options.id, locate(context, options.id));
  if (!found) return found.error();
  if (is_being_erased(context, found->row))
    return refuse(context, "hold", {{"id", options.id.text()}},
                  fail(Errc::refused, "recording " + options.id.text() + " is being erased; a hold comes too late"));
  std::map<std::string, std::string> facts{{"id", options.id.text()}};
  if (options.until) facts.emplace("until", base::utc_text(*options.until));
  CALLVAULT_TRY_ASSIGN(const auto entry,
                       entry_with_note(context, "held", std::move(facts), found->row, options.matter));
  return rewrite_row(
      context, *found, entry,
      [&](NodeRow& row) {
        std::erase_if(row.holds, [&](const Hold& h) { return h.matter == options.matter; });
        row.holds.push_back({options.matter, options.until});
      },
      false);
}

Result<bool> Vault::unhold(const Person& person, const RecordingId& id, const std::string& matter) {
  if (impl_->remote) return signed_call<bool>(*impl_, "unhold", person, id, matter);
  CALLVAULT_TRY_ASSIGN(const auto session, Session::begin(*impl_, Access::change, person.name()));
  CALLVAULT_TRY(session->require(person, {Role::officer}, "unhold"));
  auto& context = session->context();
  CALLVAULT_TRY(capture::settle(context, capture::SettleMode::finished));
  CALLVAULT_TRY_ASSIGN(const auto found, attempted(context, "unhold", id, locate_stored(context, id)));
  const auto same = [&](const Hold& h) { return h.matter == matter; };
  if (std::none_of(found.row.holds.begin(), found.row.holds.end(), same))
    return refuse(context, "unhold", {{"id", id.text()}},
                  fail(Errc::not_found, "recording " + id.text() + " has no such hold"));
  CALLVAULT_TRY(require_second(*session, DualAction::unhold, {id.text(), matter},
                               "unhold " + id.text() + " of the matter " + matter));
  CALLVAULT_TRY_ASSIGN(const auto entry, entry_with_note(context, "unheld", {{"id", id.text()}}, found.row, matter));
  CALLVAULT_TRY(rewrite_row(
      context, found, entry, [&](NodeRow& row) { std::erase_if(row.holds, same); }, false));
  return carry_out_deferred(context, {id});
}

Result<bool> Vault::restrict(const Person& person, const RecordingId& id, bool restricted, const std::string& reason) {
  if (impl_->remote) return signed_call<bool>(*impl_, "restrict", person, id, restricted, reason);
  CALLVAULT_TRY_ASSIGN(const auto session, Session::begin(*impl_, Access::change, person.name()));
  CALLVAULT_TRY(session->require(person, {Role::officer}, restricted ? "restrict" : "unrestrict"));
  auto& context = session->context();
  CALLVAULT_TRY(capture::settle(context, capture::SettleMode::finished));
  const std::string_view verb = restricted ? "restrict" : "unrestrict";
  CALLVAULT_TRY_ASSIGN(const auto found,
                       attempted(context, verb, id, restricted ? locate(context, id) : locate_stored(context, id)));
  if (found.row.restricted == restricted)
    return refuse(context, verb, {{"id", id.text()}},
                  fail(Errc::refused, "recording " + id.text() + (restricted ? " is" : " is not") + " restricted"));
  if (restricted && is_being_erased(context, found.row))
    return refuse(context, verb, {{"id", id.text()}},
                  fail(Errc::refused, "recording " + id.text() + " is being erased; a restriction comes too late"));
  CALLVAULT_TRY_ASSIGN(const auto entry, entry_with_note(context, restricted ? "restricted" : "unrestricted",
                                                         {{"id", id.text()}}, found.row, reason));
  CALLVAULT_TRY(rewrite_row(
      context, found, entry, [&](NodeRow& row) { row.restricted = restricted; }, false));
  return carry_out_deferred(context, {id});
}

}  // namespace callvault
