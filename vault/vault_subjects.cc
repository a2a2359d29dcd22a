// One person by several numbers, restriction of all of theirs, and what is corrected.
#include "callvault/subjects.h"

#include <algorithm>

#include "base/phone.h"
#include "context/aliases.h"
#include "context/commit.h"
#include "context/opt_out.h"
#include "context/rows.h"
#include "over_socket.h"
#include "row_changes.h"
#include "subject.h"

namespace callvault {
namespace {

using keys::NodeRow;

Aliases to_aliases(const std::optional<context::AliasPerson>& found, bool changed) {
  return found ? Aliases{found->numbers, found->request, changed} : Aliases{{}, {}, changed};
}

}  // namespace

Result<Aliases> alias_add(Vault& vault, const Person& person, const std::vector<std::string>& texts,
                          const std::string& request) {
  if (vault.impl().remote) return signed_call<Aliases>(vault.impl(), "alias_add", person, texts, request);
  if (!request.empty()) CALLVAULT_TRY(check_reference(request));
  CALLVAULT_TRY_ASSIGN(const auto session, Session::begin(vault.impl(), Access::change, person.name()));
  CALLVAULT_TRY(session->require(person, {Role::officer, Role::operator_}, "alias"));
  auto& context = session->context();
  std::vector<std::string> numbers;
  for (const auto& text : texts) {
    CALLVAULT_TRY_ASSIGN(auto number, number_of(context, text));
    if (std::find(numbers.begin(), numbers.end(), number) == numbers.end()) numbers.push_back(std::move(number));
  }
  if (numbers.size() < 2) return fail(Errc::usage, "an alias needs two different numbers or more");
  CALLVAULT_TRY_ASSIGN(auto aliases, context::Aliases::load(context));
  CALLVAULT_TRY_ASSIGN(const bool changed, aliases.add(numbers, request, context.now));
  CALLVAULT_TRY_ASSIGN(const auto found, aliases.find(numbers.front()));
  if (!changed) return to_aliases(found, false);
  CALLVAULT_TRY(aliases.stage(context));
  CALLVAULT_TRY(context::commit_journalled(context, "alias_added"));
  return to_aliases(found, true);
}

Result<Aliases> alias_remove(Vault& vault, const Person& person, std::string_view text) {
  if (vault.impl().remote) return signed_call<Aliases>(vault.impl(), "alias_remove", person, text);
  CALLVAULT_TRY_ASSIGN(const auto session, Session::begin(vault.impl(), Access::change, person.name()));
  CALLVAULT_TRY(session->require(person, {Role::officer}, "alias"));
  auto& context = session->context();
  CALLVAULT_TRY_ASSIGN(const auto number, number_of(context, text));
  CALLVAULT_TRY_ASSIGN(auto aliases, context::Aliases::load(context));
  CALLVAULT_TRY_ASSIGN(auto person_of, aliases.find(number));
  if (!person_of) return fail(Errc::not_found, "the number has no aliases");
  // An objection was one person's: it stays with each number that was theirs.
  CALLVAULT_TRY_ASSIGN(auto opt_outs, context::OptOuts::load(context));
  if (opt_outs.spread(person_of->numbers)) CALLVAULT_TRY(opt_outs.stage(context));
  CALLVAULT_TRY(aliases.remove(number, context.now));
  CALLVAULT_TRY(aliases.stage(context));
  CALLVAULT_TRY(context::commit_journalled(context, "alias_removed"));
  std::erase(person_of->numbers, number);
  if (person_of->numbers.size() < 2) person_of->numbers.clear();
  return to_aliases(person_of, true);
}

Result<Aliases> alias_show(Vault& vault, const Person& person, std::string_view text) {
  if (vault.impl().remote) return signed_call<Aliases>(vault.impl(), "alias_show", person, text);
  CALLVAULT_TRY_ASSIGN(const auto session, Session::begin(vault.impl(), Access::look_up, person.name()));
  CALLVAULT_TRY(session->require(person, {Role::officer, Role::operator_}, "alias"));
  auto& context = session->context();
  CALLVAULT_TRY_ASSIGN(const auto number, number_of(context, text));
  CALLVAULT_TRY_ASSIGN(const auto aliases, context::Aliases::load(context));
  CALLVAULT_TRY_ASSIGN(const auto found, aliases.find(number));
  CALLVAULT_TRY(context.log.append("alias_shown"));
  if (!found) return fail(Errc::not_found, "the number has no aliases");
  return to_aliases(found, false);
}

Result<RestrictReport> restrict_all_of(Vault& vault, const Person& person, std::string_view reference, bool restricted,
                                       const std::string& reason) {
  if (vault.impl().remote)
    return signed_call<RestrictReport>(vault.impl(), "restrict_all_of", person, reference, restricted, reason);
  if (reason.size() > kMaxReasonBytes) return fail(Errc::usage, "a reason has at most 4,096 bytes");
  const std::string verb = restricted ? "restrict" : "unrestrict";
  CALLVAULT_TRY_ASSIGN(const auto session, Session::begin(vault.impl(), Access::change, person.name()));
  CALLVAULT_TRY(session->require(person, {Role::officer}, verb));
  auto& context = session->context();
  CALLVAULT_TRY(capture::settle(context, capture::SettleMode::finished));
  CALLVAULT_TRY_ASSIGN(auto errand,
                       Errand::of(context, verb, reference,
                                  {RequestKind::restrict, RequestKind::rectify, RequestKind::object}, !restricted));
  if (!errand.known()) return fail(Errc::not_found, "no request " + std::string(reference.substr(0, 32)));
  CALLVAULT_TRY_ASSIGN(const Request* request, errand.request());
  const std::map<std::string, std::string> about{{"request", request->id}};
  if (request->numbers.empty())
    return refuse(context, verb, about, fail(Errc::refused, "request " + request->id + " names no number"));
  CALLVAULT_TRY_ASSIGN(const auto numbers, numbers_of_person(context, request->numbers));
  CALLVAULT_TRY_ASSIGN(const auto hits, recordings_of(context, numbers));
  const auto outstanding = outstanding_of(context.state.directory());
  RestrictReport report;
  std::map<std::uint32_t, std::set<RecordingId>> wanted;
  for (const auto& hit : hits) {
    CALLVAULT_TRY_ASSIGN(auto node, context.state.read_node(hit.bucket));
    CALLVAULT_TRY_ASSIGN(const auto row, node.find(hit.id));
    if (!row || state_of(*row, context.now) == State::expired) continue;
    ++report.recordings;
    const bool is_erased = outstanding.contains(hit.id) && !is_protected(*row, context.now);
    if (row->restricted != restricted && !is_erased) wanted[hit.bucket].insert(hit.id);
  }
  if (report.recordings == 0) return fail(Errc::not_found, "no recording of the person of request " + request->id);
  std::vector<RecordingId> changed;
  RowChanges changes(context);
  for (const auto& [bucket, ids] : wanted) {
    changed.insert(changed.end(), ids.begin(), ids.end());
    CALLVAULT_TRY(changes.stage(
        bucket, ids, [&](NodeRow& row) { row.restricted = restricted; }, RowChanges::Index::same));
  }
  report.changed = changed.size();
  if (changed.empty())
    return refuse(context, verb, about,
                  fail(Errc::refused, "all recordings of that person are " +
                                          std::string(restricted ? "restricted already" : "unrestricted already")));
  CALLVAULT_TRY(errand.note(context, restricted ? "restricted" : "unrestricted",
                            std::to_string(report.changed) + " recordings" + (reason.empty() ? "" : ": " + reason)));
  // Not which ones: one beside the other, they would be known as one person's for ever.
  CALLVAULT_TRY(context::commit_journalled(
      context, restricted ? "restricted" : "unrestricted",
      {{"request", std::string(reference)}, {"recordings", std::to_string(report.changed)}}));
  CALLVAULT_TRY(changes.follow());
  if (restricted) return report;
  std::set<RecordingId> waited;
  for (const auto& id : changed)
    if (outstanding.contains(id)) waited.insert(id);
  CALLVAULT_TRY(carry_out_deferred(context, {waited.begin(), waited.end()}));
  const auto left = outstanding_of(context.state.directory());
  for (const auto& id : waited) report.erased += left.contains(id) ? 0U : 1U;
  return report;
}

namespace {

Result<keys::Correction> correction_of(const context::Context& context, const std::string& name,
                                       const std::string& value) {
  constexpr std::size_t kMaxValueBytes = sealed::kMaxTextBytes;
  for (const auto field : {keys::CorrectedField::caller, keys::CorrectedField::called, keys::CorrectedField::agent,
                           keys::CorrectedField::call_id}) {
    if (keys::field_name(field) != name) continue;
    keys::Correction out{field, value};
    if (field == keys::CorrectedField::caller || field == keys::CorrectedField::called) {
      CALLVAULT_TRY_ASSIGN(out.value, base::normalise_number(value, context.config.country_code));
    }
    sealed::CallMetadata probe;
    probe.tracks = {TrackName::mixed};
    probe.agent = out.value;
    if (out.value.size() > kMaxValueBytes || !sealed::validate_metadata(probe))
      return fail(Errc::usage, name + " is at most 128 bytes of text without control characters");
    return out;
  }
  return fail(Errc::usage, "what can be corrected is caller, called, agent and call_id");
}

std::string value_of(const catalog::Row& row, keys::CorrectedField field) {
  switch (field) {
    case keys::CorrectedField::caller:
      return row.caller;
    case keys::CorrectedField::called:
      return row.called;
    case keys::CorrectedField::agent:
      return row.agent;
    case keys::CorrectedField::call_id:
      return row.call_id;
  }
  return {};
}

void put(std::vector<keys::Correction>& list, const keys::Correction& correction) {
  std::erase_if(list, [&](const keys::Correction& c) { return c.field == correction.field; });
  list.push_back(correction);
  std::sort(list.begin(), list.end(), [](const auto& a, const auto& b) { return a.field < b.field; });
}

}  // namespace

Result<CallRecord> rectify(Vault& vault, const Person& person, const Rectification& rectification) {
  if (vault.impl().remote) return signed_call<CallRecord>(vault.impl(), "rectify", person, rectification);
  const RecordingId& id = rectification.id;
  CALLVAULT_TRY(check_reference(rectification.request));
  if (rectification.note.size() > kMaxReasonBytes) return fail(Errc::usage, "a note has at most 4,096 bytes");
  CALLVAULT_TRY_ASSIGN(const auto session, Session::begin(vault.impl(), Access::change, person.name()));
  CALLVAULT_TRY(session->require(person, {Role::officer}, "rectify"));
  auto& context = session->context();
  CALLVAULT_TRY(capture::settle(context, capture::SettleMode::finished));
  std::vector<keys::Correction> corrections;
  for (const auto& [name, value] : rectification.fields) {
    CALLVAULT_TRY_ASSIGN(auto correction, correction_of(context, name, value));
    put(corrections, correction);
  }
  if (corrections.empty()) return fail(Errc::usage, "nothing to correct was named");
  CALLVAULT_TRY_ASSIGN(auto errand, Errand::of(context, "rectify", rectification.request, {RequestKind::rectify}));
  CALLVAULT_TRY_ASSIGN(const auto found, attempted(context, "rectify", id, locate(context, id)));
  const std::map<std::string, std::string> about{{"id", id.text()}};
  if (outstanding_of(context.state.directory()).contains(id))
    return refuse(context, "rectify", about, fail(Errc::refused, "recording " + id.text() + " is to be erased"));
  const keys::Bucket& bucket = context.state.directory().buckets.at(found.bucket);
  CALLVAULT_TRY_ASSIGN(auto details, context::row_of(context, bucket, found.row));
  std::string fields, note = "request " + rectification.request;
  for (const auto& c : corrections) {
    const std::string before = value_of(details, c.field);
    if (before == c.value) continue;
    fields += (fields.empty() ? "" : ",") + std::string(keys::field_name(c.field));
    note += "; " + std::string(keys::field_name(c.field)) + " was \"" + before + "\", is \"" + c.value + "\"";
  }
  if (fields.empty())
    return refuse(context, "rectify", about, fail(Errc::refused, "recording " + id.text() + " says so already"));
  if (!rectification.note.empty()) note += "; " + rectification.note;
  RowChanges changes(context);
  const auto change = [&](NodeRow& row) {
    for (const auto& c : corrections)
      if (value_of(details, c.field) != c.value) put(row.corrections, c);
  };
  CALLVAULT_TRY(changes.stage(found.bucket, {id}, change, RowChanges::Index::changes));
  CALLVAULT_TRY(errand.note(context, "rectified", fields));
  CALLVAULT_TRY_ASSIGN(auto entry, context.log.entry("rectified", {{"id", id.text()}, {"fields", fields}}));
  CALLVAULT_TRY_ASSIGN(const auto secret, crypto::Key::copy_of(found.row.record_secret));
  CALLVAULT_TRY(context::Log::add_note(entry, id, secret, note));
  CALLVAULT_TRY(context.state.check_room());
  CALLVAULT_TRY(context.log.append({entry}));
  CALLVAULT_TRY(context.log.pin_head());
  CALLVAULT_TRY(context.state.commit());
  CALLVAULT_TRY(changes.follow());
  CALLVAULT_TRY(context.state.remove_superseded());
  CALLVAULT_TRY_ASSIGN(const auto now, locate(context, id));
  CALLVAULT_TRY_ASSIGN(details, context::row_of(context, context.state.directory().buckets.at(now.bucket), now.row));
  return to_record(context.state.directory().buckets.at(now.bucket), now.row, details, context.now);
}

}  // namespace callvault
