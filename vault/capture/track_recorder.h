// One track of a live call: its encoder, its sealed file, and what of it is not yet durable.
#pragma once

#include <array>
#include <chrono>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "codec/opus_encoder.h"
#include "keys/recorder_view.h"
#include "sealed/writer.h"

namespace callvault::capture {

using SteadyTime = std::chrono::steady_clock::time_point;

// A page holds up to 1 s, and its first sample is to be durable before it is 1.5 s old: so old it is when it is synced.
inline constexpr std::chrono::milliseconds kSyncAge{1000};
// And while nothing more is said: together with a page, less than the 2 s of promise 1.
inline constexpr std::chrono::milliseconds kSyncInterval{750};
inline constexpr std::chrono::seconds kRetryInterval{1};
// Kept in memory while the disk fails: nine hours of speech at 16 kbit/s.
inline constexpr std::size_t kMaxHeldBytes = 64 * 1024 * 1024;

// To the nearest one: what a recording is said to last is the same wherever it is said.
constexpr std::uint64_t to_ms(std::uint64_t samples, std::uint32_t rate_hz) {
  return (samples * 1000 + rate_hz / 2) / rate_hz;
}

// What the tracks of a call share. Outlives them.
struct Call {
  const keys::RecorderView& view;
  RecordingId id;
  sealed::CallMetadata metadata;
  crypto::Key secret;  // s_0
  EncoderOptions encoder;
  bool live = true;  // false: the input is a file that stays; then only time on the wall counts between syncs
};

class TrackRecorder {
 public:
  // Makes segment 0, header durable. Errors: of the disk, of the encoder's options.
  static Result<TrackRecorder> start(const Call& call, TrackName name, const keys::IntakeLease& lease);

  // Errors: usage or unexpected from the encoder; io or no_space once kMaxHeldBytes are exceeded. A failing disk is
  // otherwise no error here: see failing().
  Result<void> add(std::span<const std::int16_t> mono);
  // Syncs, or tries a new segment, when it is time to. Called often.
  void tick(SteadyTime now);
  // It is time to: tick() will wait for the disk.
  bool is_due(SteadyTime now) const;
  // Encodes the rest. Then call close() until it succeeds or patience ends.
  Result<void> finish_audio();
  // Writes the trailer and the final name, in a new segment if it must.
  Result<void> close(Time ended_at, bool truncated);
  void discard();

  bool failing() const { return !writer_.has_value(); }
  const Error& failure() const { return failure_; }
  TrackName name() const { return name_; }
  std::uint64_t samples_in() const { return encoder_.samples_in(); }
  std::uint64_t safe_samples() const { return safe_samples_; }
  // Every segment file that was begun, the open one included.
  std::vector<Track> files() const;

 private:
  struct Page {
    std::array<std::byte, sealed::kChunkBytes> bytes;
    bool last = false;
  };

  TrackRecorder(const Call& call, TrackName name, codec::TrackEncoder encoder,
                std::unique_ptr<crypto::Hasher> audio_hash, sealed::Writer writer);
  static Result<sealed::Writer> make_segment(const Call& call, TrackName name, std::uint16_t segment,
                                             const sealed::CallMetadata& metadata, const keys::IntakeLease& lease);
  Result<void> take_page(std::span<const std::byte> page, bool last);
  Result<void> sync();
  void give_up_segment(Error why);
  Result<void> open_next_segment();

  const Call* call_;
  TrackName name_;
  codec::TrackEncoder encoder_;
  codec::EmitPage emit_;
  std::unique_ptr<crypto::Hasher> audio_hash_;
  std::optional<sealed::Writer> writer_;  // empty while the disk fails
  std::vector<Page> held_;                // pages that are not durable
  std::uint64_t safe_pages_ = 0;
  std::uint64_t safe_samples_ = 0;
  std::uint64_t segment_start_ = 0;  // first sample of the open segment
  std::uint32_t next_segment_ = 1;
  std::vector<Track> given_up_;           // earlier segments
  std::vector<os::File> given_up_locks_;  // theirs, so that nobody takes the call for dead while it goes on
  std::optional<crypto::Digest> audio_digest_;
  Error failure_;
  SteadyTime held_since_;  // the first of held_
  SteadyTime last_try_;
};

}  // namespace callvault::capture
