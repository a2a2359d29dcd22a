#include "capture/recorder.h"

#include <algorithm>
#include <thread>
#include <utility>

#include "capture/admission.h"
#include "crypto/random.h"
#include "os/stream.h"

namespace callvault::capture {
namespace {

using namespace std::chrono_literals;

constexpr unsigned kFramesPerSecond = 50;  // 20 ms each
constexpr unsigned kFirstReadMs = 1;       // so that the recording exists as soon as there is one sample
constexpr std::chrono::milliseconds kGathering{100};
constexpr int kClosingTries = 4;  // a second apart

const Clock& clock_of(const IngestOptions& options) {
  return options.clock != nullptr ? *options.clock : system_clock();
}

RecordingId draw_id() {
  std::array<std::byte, RecordingId::kBytes> bytes{};
  crypto::fill_random(bytes);
  return RecordingId(bytes);
}

bool is_live(const IngestOptions& options) {
  if (options.file) {
    std::error_code ignored;
    return !std::filesystem::is_regular_file(*options.file, ignored);
  }
  const auto kind = os::examine_stream(options.input_fd);
  return !kind || !kind->regular;
}

}  // namespace

// Takes interleaved frames apart into the tracks' samples.
class Splitter {
 public:
  Splitter(ChannelMap map, unsigned channels, std::size_t max_frames)
      : mix_(map == ChannelMap::mixed && channels == 2), channels_(channels), mono_(max_frames) {}

  // Track number `track` of `frames`.
  std::span<const std::int16_t> samples(std::span<const std::int16_t> frames, std::size_t track) {
    if (channels_ == 1) return frames;
    const std::size_t count = frames.size() / 2;
    for (std::size_t i = 0; i < count; ++i) {
      const int left = frames[2 * i];
      const int right = frames[2 * i + 1];
      // Half of each: two parties at once never clip.
      const int mixed = (left + right) / 2;
      mono_[i] = static_cast<std::int16_t>(mix_ ? mixed : track == 0 ? left : right);
    }
    return std::span(mono_).first(count);
  }

 private:
  bool mix_;
  unsigned channels_;
  std::vector<std::int16_t> mono_;
};

Recording::Recording(const keys::RecorderView& view, const IngestOptions& options, Upkeep upkeep)
    : view_(view), options_(options), upkeep_(upkeep) {}
Recording::~Recording() = default;

bool Recording::poll() {
  const SteadyTime now = std::chrono::steady_clock::now();
  if (upkeep_ == Upkeep::within) keep(now);
  if (stopped_) return true;
  if (options_.should_stop && options_.should_stop()) stopped_ = true;
  if (requests_) heed_requests(now);
  return stopped_;
}

bool Recording::asked_to_end() { return poll(); }

bool Recording::is_due(SteadyTime now) const {
  return std::any_of(tracks_.begin(), tracks_.end(), [&](const TrackRecorder& track) { return track.is_due(now); });
}

void Recording::keep(SteadyTime now) {
  for (TrackRecorder& track : tracks_) track.tick(now);
  if (!options_.on_safe || tracks_.empty()) return;
  const std::uint64_t safe = safe_samples();
  if (std::exchange(told_safe_, safe) != safe)
    options_.on_safe(std::chrono::milliseconds(safe * 1000 / source_->rate_hz()));
}

std::uint64_t Recording::safe_samples() const {
  std::uint64_t safe = tracks_[0].safe_samples();
  for (const TrackRecorder& track : tracks_) safe = std::min(safe, track.safe_samples());
  return safe;
}

void Recording::heed_requests(SteadyTime now) {
  const bool was_paused = requests_->paused();
  requests_->look(now, stopped_);  // a last time before the last samples are read
  stopped_ = stopped_ || requests_->stop();
  if (!was_paused || requests_->paused()) return;
  // A frame may be half read already: one more.
  const auto ms = static_cast<std::uint64_t>(source_->arrived().count()) + 1000 / kFramesPerSecond;
  silent_frames_ = (ms * source_->rate_hz() + 999) / 1000;
}

Result<void> Recording::start_tracks() {
  CALLVAULT_TRY_ASSIGN(const ChannelMap map, map_channels(options_.audio.channels, source_->channels()));
  splitter_ = std::make_unique<Splitter>(map, source_->channels(), frames_.size() / source_->channels());
  const auto names = tracks_of(map);
  call_->metadata.tracks = names;
  call_->metadata.sample_rate = source_->rate_hz();
  tracks_.reserve(names.size());
  CALLVAULT_TRY_ASSIGN(const auto lease, view_.acquire_intake());
  for (const TrackName name : names) {
    auto track = TrackRecorder::start(*call_, name, lease);
    if (!track) {
      for (TrackRecorder& made : tracks_) made.discard();
      return std::move(track).error();
    }
    tracks_.push_back(std::move(*track));
  }
  return {};
}

Result<void> Recording::take(std::span<const std::int16_t> frames) {
  for (std::size_t i = 0; i < tracks_.size(); ++i) CALLVAULT_TRY(tracks_[i].add(splitter_->samples(frames, i)));
  return {};
}

Result<void> Recording::open() {
  CALLVAULT_TRY_ASSIGN(metadata_, admit(view_.config(), options_, clock_of(options_).now()));
  CALLVAULT_TRY_ASSIGN(source_, codec::open_source({.audio = options_.audio,
                                                    .fd = options_.input_fd,
                                                    .file = options_.file,
                                                    .should_stop = [this] { return poll(); }}));
  return {};
}

Result<void> Recording::start() {
  const unsigned channels = source_->channels();
  frames_.resize(source_->rate_hz() / kFramesPerSecond * channels);
  const auto first = std::span(frames_).first(source_->rate_hz() * kFirstReadMs / 1000 * channels);
  CALLVAULT_TRY_ASSIGN(const std::size_t count, source_->read(first));
  if (count == 0) return fail(Errc::usage, "the input holds no audio: nothing is stored");

  CALLVAULT_TRY_ASSIGN(auto secret, crypto::Key::random());
  call_.emplace(Call{view_, draw_id(), std::move(metadata_), std::move(secret), options_.encoder, is_live(options_)});
  CALLVAULT_TRY(start_tracks());
  requests_.emplace(view_.layout(), call_->id, view_.file_mode());
  if (options_.on_started) options_.on_started(call_->id);
  if (upkeep_ == Upkeep::within) source_->gather(kGathering);
  return take(first.first(count * channels));
}

Result<bool> Recording::step() {
  // What had arrived when it was asked to end still belongs to the call, where calls are live.
  if (poll() && !call_->live) return false;
  const unsigned channels = source_->channels();
  const bool was_silent = requests_->paused() || silent_frames_ > 0;
  CALLVAULT_TRY_ASSIGN(const std::size_t count, source_->read(frames_));
  if (count == 0) return false;
  const auto frames = std::span(frames_).first(count * channels);
  // What was asked for while this was read counts for all of it.
  if (was_silent || requests_->paused() || silent_frames_ > 0) std::fill(frames.begin(), frames.end(), 0);
  if (!requests_->paused()) silent_frames_ -= std::min<std::uint64_t>(silent_frames_, count);
  CALLVAULT_TRY(take(frames));
  return true;
}

Result<IngestSummary> Recording::finish(const Result<void>& taken) {
  const bool disk_gave_up = std::any_of(tracks_.begin(), tracks_.end(), [](const auto& t) { return t.failing(); });
  if (!taken && disk_gave_up) return incomplete(taken.error());
  auto finished = seal();
  if (!finished) return finished;
  // The input broke: what arrived is sealed, and that it is not all must be said.
  if (!taken) return incomplete(taken.error());
  return finished;
}

Time Recording::ended_at() const {
  const auto ms = std::chrono::milliseconds(to_ms(tracks_[0].samples_in(), source_->rate_hz()));
  const Time by_audio = call_->metadata.started_at + ms;
  // Only a call that starts with the command also ends with it.
  return options_.started_at ? by_audio : std::max(by_audio, clock_of(options_).now());
}

Error Recording::incomplete(const Error& why) const {
  return fail(why.code, why.message + "; of recording " + call_->id.text() + ", " +
                            std::to_string(safe_samples() / source_->rate_hz()) + " of " +
                            std::to_string(tracks_[0].samples_in() / source_->rate_hz()) + " seconds are safe");
}

Result<IngestSummary> Recording::seal() {
  const Time end = ended_at();
  for (TrackRecorder& track : tracks_) {
    if (auto encoded = track.finish_audio(); !encoded) return incomplete(encoded.error());
  }
  std::optional<Error> failure;
  for (TrackRecorder& track : tracks_) {
    auto closed = track.close(end, source_->truncated());
    for (int round = 1; !closed && round < kClosingTries; ++round) {
      std::this_thread::sleep_for(kRetryInterval);
      closed = track.close(end, source_->truncated());
    }
    if (!closed) failure = closed.error();
  }
  if (failure) return incomplete(*failure);

  IngestSummary out;
  out.id = call_->id;
  out.started_at = call_->metadata.started_at;
  out.ended_at = end;
  out.duration_s = static_cast<double>(to_ms(tracks_[0].samples_in(), source_->rate_hz())) / 1000;
  out.flags.truncated = source_->truncated();
  for (const TrackRecorder& track : tracks_) {
    for (const Track& file : track.files()) {
      out.sealed_bytes += file.sealed_bytes;
      out.tracks.push_back(file);
    }
  }
  return out;
}

Result<IngestSummary> record(const keys::RecorderView& view, const IngestOptions& options) {
  Recording recording(view, options, Recording::Upkeep::within);
  CALLVAULT_TRY(recording.open());
  CALLVAULT_TRY(recording.start());
  Result<bool> more = true;
  while (more && *more) more = recording.step();
  return recording.finish(more ? Result<void>() : Result<void>(more.error()));
}

}  // namespace callvault::capture
