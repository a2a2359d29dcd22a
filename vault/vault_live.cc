// A call that still runs: silence while a card's number is told, and sound again.
#include <thread>

#include "capture/incoming.h"
#include "sealed/names.h"
#include "session.h"

namespace callvault {
namespace {

using namespace std::chrono_literals;

// A recorder looks five times a second; one whose disk fails, or that is starved, takes longer.
constexpr auto kPatience = 5s;
constexpr auto kLook = 20ms;

// Errors: refused when its call has ended; gone; not_found.
Result<void> require_live(context::Context& context, const RecordingId& id) {
  CALLVAULT_TRY_ASSIGN(const auto calls, capture::list_incoming(context.layout));
  for (const auto& call : calls)
    if (call.id == id && call.alive()) return {};
  const auto ended = fail(Errc::refused, "the call of recording " + id.text() + " has ended");
  for (const auto& call : calls)
    if (call.id == id) return ended;
  CALLVAULT_TRY(locate_stored(context, id));
  return ended;
}

bool answers(const os::Path& file, bool there) {
  const auto until = std::chrono::steady_clock::now() + kPatience;
  while (os::exists(file) != there) {
    if (std::chrono::steady_clock::now() >= until) return false;
    std::this_thread::sleep_for(kLook);
  }
  return true;
}

}  // namespace

Result<void> Vault::pause(const Person& person, const RecordingId& id) {
  {
    CALLVAULT_TRY_ASSIGN(const auto session, Session::begin(*impl_, Access::look_up, person.name()));
    CALLVAULT_TRY(session->admit(person, "pause"));
    CALLVAULT_TRY(require_live(session->context(), id));
    // An answer to an earlier pause, whose end the recorder has not reached yet, would be taken for one to this.
    CALLVAULT_TRY(os::remove_file(impl_->layout.incoming() / sealed::paused_file_name(id)));
    // First the silence, then the word about it.
    CALLVAULT_TRY(os::File::open_or_create(impl_->layout.incoming() / sealed::pause_file_name(id)));
    CALLVAULT_TRY(session->context().log.append("paused", {{"id", id.text()}}));
  }
  if (answers(impl_->layout.incoming() / sealed::paused_file_name(id), true)) return {};
  return fail(Errc::busy, "the recorder of " + id.text() + " does not answer; it pauses as soon as it can");
}

Result<void> Vault::resume(const Person& person, const RecordingId& id) {
  {
    CALLVAULT_TRY_ASSIGN(const auto session, Session::begin(*impl_, Access::look_up, person.name()));
    CALLVAULT_TRY(session->admit(person, "resume"));
    CALLVAULT_TRY(require_live(session->context(), id));
    if (!os::exists(impl_->layout.incoming() / sealed::pause_file_name(id)))
      return fail(Errc::refused, "recording " + id.text() + " is not paused");
    // First the word, then the sound.
    CALLVAULT_TRY(session->context().log.append("resumed", {{"id", id.text()}}));
    CALLVAULT_TRY(os::remove_file(impl_->layout.incoming() / sealed::pause_file_name(id)));
  }
  if (answers(impl_->layout.incoming() / sealed::paused_file_name(id), false)) return {};
  return fail(Errc::busy, "the recorder of " + id.text() + " does not answer; it resumes as soon as it can");
}

}  // namespace callvault
