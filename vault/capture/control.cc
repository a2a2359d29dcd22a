#include "capture/control.h"

#include <algorithm>
#include <functional>
#include <set>
#include <thread>

#include "capture/incoming.h"

namespace callvault::capture {
namespace {

using namespace std::chrono_literals;

constexpr auto kAnswerPoll = 10ms;

os::Path pause_path(const base::Layout& layout, const RecordingId& id) {
  return layout.incoming() / sealed::pause_file_name(id);
}
os::Path paused_path(const base::Layout& layout, const RecordingId& id) {
  return layout.incoming() / sealed::paused_file_name(id);
}

// Under its name at once. Not synced: a power cut ends the recorder, too. Whatever has the name already asks the same.
Result<void> put_request(const os::Path& path) {
  const auto made = os::File::create(path);
  if (made || os::exists(path)) return {};
  return made.error();
}

// Where recorders share incoming/, each may put files there: an answer counts when it is of the account that holds the
// call's own file.
Result<bool> is_answered(const base::Layout& layout, const RecordingId& id) {
  const auto answer = os::owner_of(paused_path(layout, id));
  if (!answer && answer.error().code == Errc::not_found) return false;
  if (!answer) return answer.error();
  CALLVAULT_TRY_ASSIGN(const auto call, look_at_incoming(layout, id));
  return std::any_of(call.files.begin(), call.files.end(), [&](const IncomingFile& file) {
    if (!file.alive) return false;
    const auto owner = os::owner_of(file.path);
    return owner && *owner == *answer;
  });
}

// Errors: refused when the call ends before `done`, busy when time does.
Result<void> await(const base::Layout& layout, const RecordingId& id, std::chrono::milliseconds patience,
                   const std::function<Result<bool>()>& done, std::string_view what_stays) {
  const auto until = std::chrono::steady_clock::now() + patience;
  for (;;) {
    CALLVAULT_TRY_ASSIGN(const bool answered, done());
    if (answered) return {};
    CALLVAULT_TRY_ASSIGN(const auto state, look_at_call(layout, id));
    if (state != CallState::live) {
      // Settling may have come before the request.
      CALLVAULT_TRY(remove_control_files(layout, id));
      return fail(Errc::refused, "recording " + id.text() + ": the call has ended");
    }
    if (std::chrono::steady_clock::now() >= until)
      return fail(Errc::busy, "recording " + id.text() + ": its recorder does not answer; " + std::string(what_stays));
    std::this_thread::sleep_for(kAnswerPoll);
  }
}

}  // namespace

Requests::Requests(const base::Layout& layout, const RecordingId& id, unsigned file_mode)
    : stop_path_(layout.incoming() / sealed::stop_file_name(id)),
      pause_path_(pause_path(layout, id)),
      paused_path_(paused_path(layout, id)),
      file_mode_(file_mode) {}

Requests::~Requests() {
  if (paused_) (void)os::remove_file(paused_path_);
}

void Requests::look(SteadyTime now, bool at_once) {
  if (!at_once && now - last_look_ < kControlPoll) return;
  last_look_ = now;
  stop_ = stop_ || os::exists(stop_path_);
  const auto asked = os::is_there(pause_path_);
  if (!asked) return;  // what was heard last stays true
  if (*asked) {
    paused_ = true;
    // Each time: whoever asks again takes the earlier answer away. On a full disk there is silence without an answer.
    if (!os::exists(paused_path_)) (void)os::File::create(paused_path_, file_mode_);
  } else if (paused_) {
    (void)os::remove_file(paused_path_);
    paused_ = false;
  }
}

Result<CallState> look_at_call(const base::Layout& layout, const RecordingId& id) {
  CALLVAULT_TRY_ASSIGN(const auto call, look_at_incoming(layout, id));
  if (call.files.empty()) return CallState::absent;
  return call.alive() ? CallState::live : CallState::ended;
}

Result<void> ask_for_pause(const base::Layout& layout, const RecordingId& id) {
  // In this order: a recorder that has just seen the last request go answers no more before it has seen this one.
  CALLVAULT_TRY(os::remove_file(paused_path(layout, id)));
  return put_request(pause_path(layout, id));
}

Result<void> await_pause(const base::Layout& layout, const RecordingId& id, std::chrono::milliseconds patience) {
  return await(
      layout, id, patience,
      [&]() -> Result<bool> {
        CALLVAULT_TRY_ASSIGN(const bool asked, is_pause_asked(layout, id));
        if (asked) return is_answered(layout, id);
        // Taken away by who resumed it, or with a call that has ended.
        CALLVAULT_TRY_ASSIGN(const auto state, look_at_call(layout, id));
        if (state != CallState::live) return false;
        return fail(Errc::busy, "recording " + id.text() + " was resumed by another meanwhile");
      },
      "the pause was asked for and stays");
}

Result<bool> is_pause_asked(const base::Layout& layout, const RecordingId& id) {
  return os::is_there(pause_path(layout, id));
}

Result<void> ask_to_resume(const base::Layout& layout, const RecordingId& id) {
  CALLVAULT_TRY(os::remove_file(pause_path(layout, id)));
  return {};
}

Result<void> await_resume(const base::Layout& layout, const RecordingId& id, std::chrono::milliseconds patience) {
  return await(
      layout, id, patience,
      [&]() -> Result<bool> {
        CALLVAULT_TRY_ASSIGN(const bool answered, is_answered(layout, id));
        if (answered) return false;
        // No answer is left: that of a call that goes on, or of one that ended?
        CALLVAULT_TRY_ASSIGN(const auto state, look_at_call(layout, id));
        return state == CallState::live;
      },
      "it goes on as soon as it looks");
}

Result<bool> end_call(const base::Layout& layout, const RecordingId& id, std::chrono::milliseconds patience) {
  CALLVAULT_TRY_ASSIGN(auto state, look_at_call(layout, id));
  if (state != CallState::live) return false;
  CALLVAULT_TRY(put_request(layout.incoming() / sealed::stop_file_name(id)));
  const auto until = std::chrono::steady_clock::now() + patience;
  while (state == CallState::live && std::chrono::steady_clock::now() < until) {
    std::this_thread::sleep_for(kAnswerPoll);
    CALLVAULT_TRY_ASSIGN(state, look_at_call(layout, id));
  }
  return true;
}

Result<void> remove_control_files(const base::Layout& layout, const RecordingId& id) {
  for (const auto& name : sealed::control_file_names(id)) CALLVAULT_TRY(os::remove_file(layout.incoming() / name));
  return {};
}

}  // namespace callvault::capture
