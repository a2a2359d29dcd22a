// What people decide about a call while it runs.
#include "capture/control.h"
#include "over_socket.h"
#include "subject.h"

namespace callvault {
namespace {

constexpr std::chrono::seconds kAnswerPatience{3};

Error ended(const RecordingId& id) { return fail(Errc::refused, "recording " + id.text() + ": the call has ended"); }

// A session of somebody who may be anyone, on a call in progress. The catalogue has to be up to date only for the words
// about one that is not.
Result<std::unique_ptr<Session>> begin_live(Vault::Impl& vault, const Person& person, const RecordingId& id,
                                            std::string_view verb) {
  CALLVAULT_TRY_ASSIGN(const auto state, capture::look_at_call(vault.layout, id));
  const auto access = state == capture::CallState::live ? Access::look_up : Access::look;
  CALLVAULT_TRY_ASSIGN(auto session, Session::begin(vault, access, person.name()));
  CALLVAULT_TRY(session->admit(person, verb));
  if (state == capture::CallState::live) return session;
  if (state != capture::CallState::ended)
    CALLVAULT_TRY(attempted(session->context(), verb, id, locate(session->context(), id)));
  return refuse(session->context(), verb, {{"id", id.text()}}, ended(id));
}

Result<void> journal_unanswered(const Session& session, const RecordingId& id, std::string_view verb,
                                Result<void> answer) {
  if (answer) return answer;
  CALLVAULT_TRY(session.context().log.append(
      "unanswered",
      {{"id", id.text()}, {"verb", std::string(verb)}, {"result", std::string(errc_name(answer.error().code))}}));
  return answer;
}

}  // namespace

// The request comes before its entry: whatever fails, what is said stays out.
Result<void> Vault::pause(const Person& person, const RecordingId& id) {
  if (impl_->remote) return signed_call<void>(*impl_, "pause", person, id);
  CALLVAULT_TRY_ASSIGN(const auto session, begin_live(*impl_, person, id, "pause"));
  CALLVAULT_TRY(capture::ask_for_pause(impl_->layout, id));
  CALLVAULT_TRY(session->context().log.append("paused", {{"id", id.text()}}));
  return journal_unanswered(*session, id, "pause", capture::await_pause(impl_->layout, id, kAnswerPatience));
}

// And here after it: nothing is sealed again before it is on record who allowed it.
Result<void> Vault::resume(const Person& person, const RecordingId& id) {
  if (impl_->remote) return signed_call<void>(*impl_, "resume", person, id);
  CALLVAULT_TRY_ASSIGN(const auto session, begin_live(*impl_, person, id, "resume"));
  CALLVAULT_TRY_ASSIGN(const bool asked, capture::is_pause_asked(impl_->layout, id));
  if (!asked) return fail(Errc::refused, "recording " + id.text() + ": the call is not paused");
  CALLVAULT_TRY(session->context().log.append("resumed", {{"id", id.text()}}));
  CALLVAULT_TRY(capture::ask_to_resume(impl_->layout, id));
  return journal_unanswered(*session, id, "resume", capture::await_resume(impl_->layout, id, kAnswerPatience));
}

}  // namespace callvault
