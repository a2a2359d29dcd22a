#include "capture/track_recorder.h"

#include <algorithm>
#include <limits>

#include "os/presence.h"

namespace callvault::capture {
namespace {

constexpr std::size_t kMaxLocks = 64;  // open files are not endless

// A node's row names at most 255 files, of two tracks. The last few are for the end of the call: kept free for it.
constexpr std::size_t kMaxSegments = 120;
constexpr std::size_t kMaxSegmentsBeforeEnd = 112;
// With so many, a disk that takes headers and no audio is given more time, so that they are not used up in minutes.
constexpr std::size_t kManySegments = 60;
constexpr std::chrono::seconds kSlowRetryInterval{60};

}  // namespace

TrackRecorder::TrackRecorder(const Call& call, TrackName name, codec::TrackEncoder encoder,
                             std::unique_ptr<crypto::Hasher> audio_hash, sealed::Writer writer)
    : call_(&call),
      name_(name),
      encoder_(std::move(encoder)),
      audio_hash_(std::move(audio_hash)),
      writer_(std::move(writer)),
      held_since_(std::chrono::steady_clock::now()),
      last_try_(held_since_) {
  held_.reserve(8);
}

Result<TrackRecorder> TrackRecorder::start(const Call& call, TrackName name, const keys::IntakeLease& lease) {
  CALLVAULT_TRY_ASSIGN(auto encoder, codec::TrackEncoder::make(call.metadata.sample_rate, call.encoder));
  CALLVAULT_TRY_ASSIGN(const crypto::Key hash_key, sealed::audio_hash_key(call.metadata.call_id));
  CALLVAULT_TRY_ASSIGN(auto writer, make_segment(call, name, 0, call.metadata, lease));
  return TrackRecorder(call, name, std::move(encoder), std::make_unique<crypto::Hasher>(hash_key), std::move(writer));
}

Result<sealed::Writer> TrackRecorder::make_segment(const Call& call, TrackName name, std::uint16_t segment,
                                                   const sealed::CallMetadata& metadata,
                                                   const keys::IntakeLease& lease) {
  CALLVAULT_TRY_ASSIGN(auto recording, call.secret.clone());
  CALLVAULT_TRY_ASSIGN(auto track, crypto::Key::random());
  const sealed::HeaderFields fields{.id = call.id,
                                    .track = name,
                                    .segment = segment,
                                    .intake_key = lease.key.id,
                                    .review_key = call.view.review().number};
  const sealed::Recipients to{
      .intake = lease.key.public_key, .pepper = lease.key.pepper, .review = call.view.review().key};
  CALLVAULT_TRY_ASSIGN(auto header,
                       sealed::make_header(fields, to, metadata, {std::move(recording), std::move(track)}));
  return sealed::Writer::create(call.view.layout().incoming(), std::move(header), call.view.file_mode());
}

Result<void> TrackRecorder::add(std::span<const std::int16_t> mono) {
  audio_hash_->add(std::as_bytes(mono));
  return encoder_.add(mono, [this](std::span<const std::byte> page, bool last) { return take_page(page, last); });
}

Result<void> TrackRecorder::finish_audio() {
  audio_digest_ = audio_hash_->finish();
  return encoder_.finish([this](std::span<const std::byte> page, bool last) { return take_page(page, last); });
}

Result<void> TrackRecorder::take_page(std::span<const std::byte> page, bool last) {
  if (page.size() != sealed::kChunkBytes) return fail(Errc::unexpected, "a page does not fill a chunk");
  if (held_.size() >= kMaxHeldBytes / sizeof(Page)) return failure_;
  if (held_.empty()) held_since_ = std::chrono::steady_clock::now();
  Page& kept = held_.emplace_back();
  std::copy(page.begin(), page.end(), kept.bytes.begin());
  kept.last = last;
  if (failing()) return {};
  if (auto written = writer_->append_chunk(kept.bytes, last); !written) give_up_segment(written.error());
  return {};
}

bool TrackRecorder::is_due(SteadyTime now) const {
  if (failing()) return now - last_try_ >= (given_up_.size() < kManySegments ? kRetryInterval : kSlowRetryInterval);
  if (held_.empty()) return false;
  // Also by what was said, which is more than time when a recorder catches up.
  const std::uint64_t oldest_ms = to_ms(samples_in() - safe_samples_, call_->metadata.sample_rate);
  const bool is_old = call_->live && encoder_.samples_emitted() > safe_samples_ &&
                      oldest_ms >= static_cast<std::uint64_t>(kSyncAge.count());
  return is_old || now - held_since_ >= kSyncInterval;
}

void TrackRecorder::tick(SteadyTime now) {
  if (!is_due(now)) return;
  if (failing())
    (void)open_next_segment();
  else
    (void)sync();
}

Result<void> TrackRecorder::sync() {
  if (auto synced = writer_->sync(); !synced) {
    give_up_segment(synced.error());
    return synced;
  }
  safe_pages_ += held_.size();
  safe_samples_ = encoder_.samples_emitted();
  held_.clear();
  return {};
}

// When one fails that had taken audio, the next is tried at once: a transient error of one file must not keep audio in
// memory for a second. When a new one fails right away, the disk does.
void TrackRecorder::give_up_segment(Error why) {
  const bool had_worked = writer_->header().segment == 0 || writer_->safe_chunks() > 0;
  failure_ = std::move(why);
  if (given_up_locks_.size() == kMaxLocks) given_up_locks_.erase(given_up_locks_.begin());
  given_up_locks_.push_back(writer_->abandon());
  given_up_.push_back({name_, writer_->header().segment, call_->metadata.sample_rate,
                       writer_->header().header_bytes() + writer_->safe_chunks() * sealed::kSealedChunkBytes});
  writer_.reset();
  if (had_worked) last_try_ = SteadyTime{};
}

Result<void> TrackRecorder::open_next_segment() {
  last_try_ = std::chrono::steady_clock::now();
  const auto attempt = [&]() -> Result<void> {
    const bool at_end = audio_digest_.has_value();
    if (next_segment_ > std::numeric_limits<std::uint16_t>::max() ||
        given_up_.size() >= (at_end ? kMaxSegments : kMaxSegmentsBeforeEnd))
      return fail(Errc::io, "too many segments of one call");
    sealed::CallMetadata metadata = call_->metadata;
    metadata.first_page = safe_pages_;
    metadata.offset_ms = to_ms(safe_samples_, metadata.sample_rate);
    CALLVAULT_TRY_ASSIGN(const auto lease, call_->view.acquire_intake());
    // Only now: a shred asks for the end before it publishes the next key, so a key taken without having been asked is
    // one that the shred still waits for.
    if (os::may_exist(call_->view.layout().incoming() / sealed::stop_file_name(call_->id)))
      return fail(Errc::refused, "the call was asked to end; no further segment is begun");
    CALLVAULT_TRY_ASSIGN(auto writer,
                         make_segment(*call_, name_, static_cast<std::uint16_t>(next_segment_), metadata, lease));
    // The number is spent even if nothing more succeeds: its secrets may have been registered.
    ++next_segment_;
    for (const Page& page : held_) {
      auto written = writer.append_chunk(page.bytes, page.last);
      if (!written) {
        (void)writer.discard();
        return written;
      }
    }
    segment_start_ = safe_samples_;
    writer_ = std::move(writer);
    return {};
  };
  auto opened = attempt();
  if (!opened) {
    failure_ = opened.error();
    return opened;
  }
  // The last page becomes durable together with the trailer.
  return !held_.empty() && held_.back().last ? Result<void>{} : sync();
}

Result<void> TrackRecorder::close(Time ended_at, bool truncated) {
  if (failing()) CALLVAULT_TRY(open_next_segment());
  const std::uint32_t rate = call_->metadata.sample_rate;
  sealed::Trailer trailer;
  trailer.ended_at = ended_at;
  trailer.duration = std::chrono::milliseconds(to_ms(samples_in(), rate) - to_ms(segment_start_, rate));
  trailer.truncated = truncated;
  if (audio_digest_) trailer.audio_hash = *audio_digest_;
  if (auto finished = writer_->finish(call_->secret, trailer); !finished) {
    give_up_segment(finished.error());
    return finished;
  }
  safe_pages_ += held_.size();
  safe_samples_ = samples_in();
  held_.clear();
  return {};
}

void TrackRecorder::discard() {
  if (writer_) (void)writer_->discard();
}

std::vector<Track> TrackRecorder::files() const {
  auto out = given_up_;
  if (writer_)
    out.push_back(
        {name_, writer_->header().segment, call_->metadata.sample_rate, writer_->file_bytes() + sealed::kTrailerBytes});
  return out;
}

}  // namespace callvault::capture
