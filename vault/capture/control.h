// A call governed from another process while it runs: by empty files beside it in incoming/, since its recorder may
// read nothing else and may run under another account. Requests are files of whoever asks, answers are the recorder's.
#pragma once

#include "base/layout.h"
#include "capture/track_recorder.h"
#include "os/file.h"

namespace callvault::capture {

inline constexpr std::chrono::milliseconds kControlPoll{200};

// The recorder's side.
class Requests {
 public:
  Requests(const base::Layout& layout, const RecordingId& id, unsigned file_mode);
  Requests(const Requests&) = delete;
  Requests& operator=(const Requests&) = delete;
  ~Requests();  // the answer ends with the call

  // Looks when it is time to, or at once.
  void look(SteadyTime now, bool at_once);
  bool stop() const { return stop_; }
  // From when this is true no sample may be encoded: whoever asked may have been told so.
  bool paused() const { return paused_; }

 private:
  os::Path stop_path_, pause_path_, paused_path_;
  unsigned file_mode_;
  SteadyTime last_look_{};
  bool stop_ = false;
  bool paused_ = false;
};

// The other side. REQUIRES: the account owns incoming/, or all run under one.
enum class CallState : std::uint8_t { absent, ended, live };
Result<CallState> look_at_call(const base::Layout& layout, const RecordingId& id);

// From now on, or as soon as the recorder looks, silence is taken for what is said. An earlier answer is taken away, so
// that the next one is an answer to this.
Result<void> ask_for_pause(const base::Layout& layout, const RecordingId& id);
// Errors: busy when the recorder does not answer in time (the request stays), refused when the call has ended.
Result<void> await_pause(const base::Layout& layout, const RecordingId& id, std::chrono::milliseconds patience);
Result<bool> is_pause_asked(const base::Layout& layout, const RecordingId& id);
Result<void> ask_to_resume(const base::Layout& layout, const RecordingId& id);
// Errors: as await_pause.
Result<void> await_resume(const base::Layout& layout, const RecordingId& id, std::chrono::milliseconds patience);

// Asks the recorder to end the call and waits for it. False when there was none to ask. One that does not answer in
// time is no error here: its file may still be alive.
Result<bool> end_call(const base::Layout& layout, const RecordingId& id, std::chrono::milliseconds patience);

// REQUIRES: the call has ended.
Result<void> remove_control_files(const base::Layout& layout, const RecordingId& id);

}  // namespace callvault::capture
