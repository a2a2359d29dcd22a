// Seals one call while it is spoken. Knows only what a recorder may read, writes only incoming/, opens nothing.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "callvault/options.h"
#include "callvault/reports.h"
#include "capture/control.h"
#include "capture/track_recorder.h"
#include "codec/pcm_source.h"
#include "keys/recorder_view.h"

namespace callvault::capture {

class Splitter;

// One call in steps, for who carries many. By one thread at a time, whichever; view and options outlive it.
class Recording {
 public:
  // by_steps: keep() is left to whoever steps, so that step() waits for nothing; else step() does it between frames.
  enum class Upkeep : std::uint8_t { within, by_steps };
  Recording(const keys::RecorderView& view, const IngestOptions& options, Upkeep upkeep);
  Recording(const Recording&) = delete;
  Recording& operator=(const Recording&) = delete;
  ~Recording();

  // May this be recorded, and what is it? Then, once, start(): waits for the first sample, makes the headers durable
  // and calls options.on_started.
  Result<void> open();
  Result<void> start();
  // Reads and encodes up to 20 ms; false at the end of the input. Does not wait when has_frame(), nor once
  // asked_to_end().
  Result<bool> step();
  bool has_frame() const { return source_->ready(); }
  // By options.should_stop, by the vault's side, or by end(): what has arrived is still read.
  bool asked_to_end();
  void end() { stopped_ = true; }
  bool is_due(SteadyTime now) const;
  // Waits for the disk.
  void keep(SteadyTime now);
  // `taken`: how the input ended.
  Result<IngestSummary> finish(const Result<void>& taken);

 private:
  Result<void> start_tracks();
  Result<void> take(std::span<const std::int16_t> frames);
  void heed_requests(SteadyTime now);
  // Called between frames, and while the input is silent: what is due by the clock, and whether the call shall end.
  bool poll();
  Result<IngestSummary> seal();
  Error incomplete(const Error& why) const;
  Time ended_at() const;
  std::uint64_t safe_samples() const;

  const keys::RecorderView& view_;
  const IngestOptions& options_;
  const Upkeep upkeep_;
  sealed::CallMetadata metadata_;
  std::unique_ptr<codec::PcmSource> source_;
  std::optional<Call> call_;
  std::unique_ptr<Splitter> splitter_;
  std::vector<TrackRecorder> tracks_;
  std::vector<std::int16_t> frames_;
  std::optional<Requests> requests_;
  std::uint64_t silent_frames_ = 0;  // after a pause: what was said in it and is still to be read
  std::uint64_t told_safe_ = 0;
  bool stopped_ = false;
};

// From the first sample to the end of the input, options.should_stop or incoming/<id>.stop. options.on_started is
// called once the headers are durable. While the disk fails, what is not durable stays in memory and a new segment is
// tried each second.
// Errors: usage (the options contradict themselves or the input; an input without audio), refused (consent refused,
// start in the future or already expired: nothing is stored), io or no_space (then the message says how many seconds
// of the call are safe; they are recovered as an interrupted recording), or what RecorderView::acquire_intake says.
Result<IngestSummary> record(const keys::RecorderView& view, const IngestOptions& options);

}  // namespace callvault::capture
