// What people may ask for: not to be recorded, and the requests of GDPR Art. 15 to 22.
#include <algorithm>

#include "callvault/disclosure.h"
#include "context/commit.h"
#include "context/opt_out.h"
#include "over_socket.h"
#include "rights/copies.h"
#include "subject.h"

namespace callvault {
namespace {

constexpr std::size_t kMaxEvidenceBytes = 256;

Result<void> check_reason(const std::string& reason, bool needed) {
  if (needed && reason.empty()) return fail(Errc::usage, "a reason is needed");
  if (reason.size() > kMaxReasonBytes) return fail(Errc::usage, "a reason has at most 4,096 bytes");
  return {};
}

}  // namespace

Result<MayRecord> Vault::may_record(std::string_view number) {
  if (impl_->remote) return account_call<MayRecord>(*impl_, "may_record", number);
  CALLVAULT_TRY_ASSIGN(const auto session, Session::begin(*impl_, Access::look_up, ""));
  CALLVAULT_TRY_ASSIGN(const auto normal, number_of(session->context(), number));
  CALLVAULT_TRY_ASSIGN(const auto opt_outs, context::OptOuts::load(session->context()));
  CALLVAULT_TRY_ASSIGN(const auto numbers, numbers_of_person(session->context(), {normal}));
  MayRecord out;
  out.incomplete_since = opt_outs.incomplete_since();
  out.allowed = !out.incomplete_since;
  for (const auto& one : numbers) {
    const auto entry = opt_outs.find(one);
    if (!entry) continue;
    out.allowed = false;
    out.opted_out_since = std::min(out.opted_out_since.value_or(entry->since), entry->since);
  }
  return out;
}

Result<bool> Vault::opt_out_add(const Person& person, const OptOutOptions& options) {
  if (impl_->remote) return signed_call<bool>(*impl_, "opt_out_add", person, options);
  if (options.request.size() > 64) return fail(Errc::usage, "a request's reference has at most 64 characters");
  CALLVAULT_TRY_ASSIGN(const auto session, Session::begin(*impl_, Access::change, person.name()));
  CALLVAULT_TRY(session->require(person, {Role::officer, Role::operator_}, "opt_out"));
  auto& context = session->context();
  CALLVAULT_TRY_ASSIGN(const auto number, number_of(context, options.number));
  CALLVAULT_TRY_ASSIGN(const auto numbers, numbers_of_person(context, {number}));
  CALLVAULT_TRY_ASSIGN(auto opt_outs, context::OptOuts::load(context));
  bool changed = false;
  for (const auto& one : numbers) changed = opt_outs.add(one, {context.now, options.request}) || changed;
  if (!changed) return false;
  CALLVAULT_TRY(opt_outs.stage(context));
  CALLVAULT_TRY(context::commit_journalled(context, "opted_out", {}));
  return true;
}

Result<bool> Vault::opt_out_remove(const Person& person, const OptOutOptions& options) {
  if (impl_->remote) return signed_call<bool>(*impl_, "opt_out_remove", person, options);
  CALLVAULT_TRY_ASSIGN(const auto session, Session::begin(*impl_, Access::change, person.name()));
  CALLVAULT_TRY(session->require(person, {Role::officer}, "opt_out"));
  auto& context = session->context();
  CALLVAULT_TRY_ASSIGN(const auto number, number_of(context, options.number));
  CALLVAULT_TRY_ASSIGN(const auto numbers, numbers_of_person(context, {number}));
  CALLVAULT_TRY_ASSIGN(auto opt_outs, context::OptOuts::load(context));
  bool changed = false;
  for (const auto& one : numbers) changed = opt_outs.remove(one) || changed;
  if (!changed) return false;
  CALLVAULT_TRY(opt_outs.stage(context));
  CALLVAULT_TRY(context::commit_journalled(context, "opted_in", {}));
  return true;
}

namespace {

// With what waits for it.
Result<Request> complete(context::Context& context, const Request& request) {
  CALLVAULT_TRY_ASSIGN(auto deferred, deferred_by_request(context));
  Request out = request;
  if (const auto it = deferred.find(request.id); it != deferred.end()) out.deferred = std::move(it->second);
  return out;
}

// Finds the request, lets `change` alter it, notes the step, and makes it durable.
template <typename Change>
Result<Request> change_request(Vault::Impl& vault, const Person& person, std::string_view id, std::string_view what,
                               const std::string& text, const Change& change) {
  CALLVAULT_TRY_ASSIGN(const auto session, Session::begin(vault, Access::change, person.name()));
  CALLVAULT_TRY(session->require(person, {Role::officer}, "request"));
  auto& context = session->context();
  CALLVAULT_TRY_ASSIGN(auto requests, rights::Requests::load(context));
  const auto found = requests.find(id);
  if (!found) return refuse(context, "request_" + std::string(what), {}, found.error());
  Request* const request = *found;
  std::map<std::string, std::string> facts{{"request", request->id}};
  auto changed = change(context, *request, facts);
  if (!changed)
    return refuse(context, "request_" + std::string(what), {{"request", request->id}}, std::move(changed).error());
  request->history.push_back({context.now, person.name(), std::string(what), text});
  request->overdue = rights::is_overdue(*request, context.now);
  CALLVAULT_TRY(requests.stage(context));
  CALLVAULT_TRY(context::commit_journalled(context, "request_" + std::string(what), std::move(facts)));
  return complete(context, *request);
}

Error closed_already(const Request& request) { return fail(Errc::refused, "request " + request.id + " is closed"); }

}  // namespace

Result<Request> Vault::request_open(const Person& person, const RequestOptions& options) {
  if (impl_->remote) return signed_call<Request>(*impl_, "request_open", person, options);
  CALLVAULT_TRY_ASSIGN(const auto session, Session::begin(*impl_, Access::change, person.name()));
  CALLVAULT_TRY(session->require(person, {Role::officer, Role::operator_}, "request"));
  auto& context = session->context();
  CALLVAULT_TRY_ASSIGN(auto requests, rights::Requests::load(context));
  CALLVAULT_TRY_ASSIGN(const Request* made, requests.open(context, options));
  CALLVAULT_TRY(requests.stage(context));
  CALLVAULT_TRY(context::commit_journalled(context, "request_opened",
                                           {{"request", made->id}, {"kind", std::string(to_word(made->kind))}}));
  return *made;
}

Result<Request> Vault::request_assign(const Person& person, std::string_view id, const std::string& to) {
  if (impl_->remote) return signed_call<Request>(*impl_, "request_assign", person, id, to);
  return change_request(*impl_, person, id, "assigned", to, [&](auto& context, Request& r, auto&) -> Result<void> {
    if (r.state == RequestState::closed) return closed_already(r);
    const auto& people = context.state.directory().people;
    const auto it = people.find(to);
    if (it == people.end()) return fail(Errc::not_found, "no person of that name");
    if (it->second.disabled) return fail(Errc::refused, to + " is disabled");
    r.assigned = to;
    return {};
  });
}

Result<Request> Vault::request_decide(const Person& person, std::string_view id, RequestDecision decision,
                                      const std::string& reason) {
  if (impl_->remote) return signed_call<Request>(*impl_, "request_decide", person, id, decision, reason);
  CALLVAULT_TRY(check_reason(reason, decision != RequestDecision::granted));
  return change_request(*impl_, person, id, "decided", reason, [&](auto&, Request& r, auto& facts) -> Result<void> {
    if (r.state == RequestState::closed) return closed_already(r);
    r.state = RequestState::decided;
    r.decision = decision;
    facts.emplace("decision", to_word(decision));
    return {};
  });
}

Result<Request> Vault::request_extend(const Person& person, std::string_view id, const std::string& reason) {
  if (impl_->remote) return signed_call<Request>(*impl_, "request_extend", person, id, reason);
  CALLVAULT_TRY(check_reason(reason, true));
  return change_request(*impl_, person, id, "extended", reason, [&](auto& context, Request& r, auto&) -> Result<void> {
    if (r.state != RequestState::open) return fail(Errc::refused, "request " + r.id + " is answered already");
    if (r.extended) return fail(Errc::refused, "request " + r.id + " was extended before, and once is all");
    if (context.now >= r.due)
      return fail(Errc::refused, "the time to answer request " + r.id + " is over: it is too late to extend it");
    CALLVAULT_TRY_ASSIGN(r.due, rights::extended_deadline(context.zone, r.due));
    r.extended = true;
    return {};
  });
}

Result<Request> Vault::request_close(const Person& person, std::string_view id, const std::string& note) {
  if (impl_->remote) return signed_call<Request>(*impl_, "request_close", person, id, note);
  CALLVAULT_TRY(check_reason(note, false));
  return change_request(*impl_, person, id, "closed", note, [&](auto& context, Request& r, auto&) -> Result<void> {
    if (r.state == RequestState::closed) return closed_already(r);
    if (!r.decision) return fail(Errc::refused, "request " + r.id + " is not decided yet");
    r.state = RequestState::closed;
    r.closed = context.now;
    return {};
  });
}

Result<Request> request_answer(Vault& vault, const Person& person, const AnswerOptions& options) {
  if (vault.impl().remote) return signed_call<Request>(vault.impl(), "request_answer", person, options);
  if (options.evidence.size() > kMaxEvidenceBytes) return fail(Errc::usage, "evidence has at most 256 bytes");
  CALLVAULT_TRY(settle_if_free(vault.impl()));
  // The journal does not name the recording beside the request: that would tell for ever whose it was.
  return change_request(vault.impl(), person, options.request, "answered", "",
                        [&](auto& context, Request& r, auto& facts) -> Result<void> {
                          if (r.state == RequestState::closed) return closed_already(r);
                          CALLVAULT_TRY(locate_stored(context, options.recording));
                          facts.emplace("party", to_word(options.party));
                          facts.emplace("answer", to_word(options.answer));
                          return rights::note_answer(
                              r, {options.recording, options.party, options.answer, context.now, options.evidence});
                        });
}

Result<Request> request_requester(Vault& vault, const Person& person, std::string_view request, Party party) {
  if (vault.impl().remote) return signed_call<Request>(vault.impl(), "request_requester", person, request, party);
  return change_request(vault.impl(), person, request, "requester", std::string(to_word(party)),
                        [&](auto&, Request& r, auto&) -> Result<void> {
                          if (r.state == RequestState::closed) return closed_already(r);
                          if (!r.copies.empty())
                            return fail(Errc::refused, "request " + r.id + " was answered with a copy already");
                          r.requester = party;
                          return {};
                        });
}

Result<Request> Vault::request_show(const Person& person, std::string_view id) {
  if (impl_->remote) return signed_call<Request>(*impl_, "request_show", person, id);
  CALLVAULT_TRY_ASSIGN(const auto session, Session::begin(*impl_, Access::look_up, person.name()));
  CALLVAULT_TRY(session->require(person, {Role::officer, Role::auditor, Role::operator_}, "request"));
  CALLVAULT_TRY_ASSIGN(auto requests, rights::Requests::load(session->context()));
  const auto request = requests.find(id);
  if (!request) return refuse(session->context(), "request_show", {}, request.error());
  CALLVAULT_TRY(session->context().log.append("request_shown", {{"request", (*request)->id}}));
  return complete(session->context(), **request);
}

Result<std::vector<Request>> Vault::request_list(const Person& person, std::optional<RequestState> state,
                                                 bool overdue_only) {
  if (impl_->remote) return signed_call<std::vector<Request>>(*impl_, "request_list", person, state, overdue_only);
  CALLVAULT_TRY_ASSIGN(const auto session, Session::begin(*impl_, Access::look_up, person.name()));
  CALLVAULT_TRY(session->require(person, {Role::officer, Role::auditor, Role::operator_}, "request"));
  CALLVAULT_TRY_ASSIGN(const auto requests, rights::Requests::load(session->context()));
  CALLVAULT_TRY(session->context().log.append("requests_listed"));
  CALLVAULT_TRY_ASSIGN(const auto deferred, deferred_by_request(session->context()));
  std::vector<Request> out;
  for (const auto& r : requests.all()) {
    if ((state && r.state != *state) || (overdue_only && !r.overdue)) continue;
    out.push_back(r);
    if (const auto it = deferred.find(r.id); it != deferred.end()) out.back().deferred = it->second;
  }
  return out;
}

Contacts Vault::contacts() const {
  return {impl_->config.controller_contact, impl_->config.dpo_contact, impl_->config.authority_contact};
}

}  // namespace callvault
