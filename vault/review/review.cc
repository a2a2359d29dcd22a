#include "review/review.h"

#include <algorithm>

#include "codec/wav_writer.h"
#include "review/track_pages.h"

namespace callvault::review {
namespace {

constexpr std::size_t kBlockFrames = 4096;

std::uint64_t to_sample(std::chrono::milliseconds at, std::uint32_t rate) {
  return static_cast<std::uint64_t>(at.count()) * rate / 1000;
}

// The shorter of two tracks ends in silence.
Result<void> fill(codec::TrackDecoder& decoder, std::span<std::int16_t> out) {
  while (!out.empty()) {
    CALLVAULT_TRY_ASSIGN(const auto got, decoder.read(out));
    if (got == 0) break;
    out = out.subspan(got);
  }
  std::fill(out.begin(), out.end(), std::int16_t{0});
  return {};
}

}  // namespace

class Opening {
 public:
  Opening(Release& released, const keys::Identity& reviewer, const PlayOptions& options)
      : released_(released), reviewer_(reviewer), options_(options), summary_(opened_.summary_) {}

  Result<Opened> run() {
    if (!released_.record_secret) return fail(Errc::unexpected, "nothing was released");
    summary_.id = released_.id;
    summary_.tracks = released_.tracks;
    for (const auto name : summary_.tracks) CALLVAULT_TRY(open_track(name));
    opened_.format_ = options_.format;
    opened_.from_ = options_.from;
    opened_.to_ = options_.to;
    return std::move(opened_);
  }

 private:
  Result<void> open_track(TrackName name) {
    std::vector<TrackPages::Segment> segments;
    std::optional<Error> missing;
    for (auto& released : released_.segments) {
      if (released.track != name) continue;
      if (!released.file.is_open()) {
        missing = fail(Errc::corrupt, released.name);
        summary_.incomplete = true;
        continue;
      }
      CALLVAULT_TRY_ASSIGN(auto segment, open_segment(released));
      segments.push_back(std::move(segment));
    }
    const bool any = std::any_of(segments.begin(), segments.end(), [](const auto& s) { return s.pages > 0; });
    if (!any && missing) return *missing;
    std::sort(segments.begin(), segments.end(),
              [](const auto& a, const auto& b) { return a.first_page < b.first_page; });
    auto joined = TrackPages::join(std::move(segments));
    if (!joined && missing) return fail(Errc::corrupt, missing->message + ": " + joined.error().message);
    if (!joined) return joined.error();
    summary_.incomplete = summary_.incomplete || joined->incomplete();
    opened_.pages_.push_back(std::make_unique<TrackPages>(std::move(*joined)));
    return {};
  }

  Result<TrackPages::Segment> open_segment(ReleasedSegment& released) {
    CALLVAULT_TRY_ASSIGN(auto reader, sealed::Reader::from(std::move(released.file)));
    if (reader.header().hash != released.header_hash)
      return fail(Errc::corrupt, "the header of " + released.name + " is not the one that was settled");
    CALLVAULT_TRY_ASSIGN(const crypto::Key* review, reviewer_.review_key(reader.header().review_key));
    if (!released.secret) return fail(Errc::unexpected, "the secret of " + released.name + " was not released");
    CALLVAULT_TRY_ASSIGN(auto audio, sealed::audio_key(reader.header(), *review, *released.secret));
    CALLVAULT_TRY_ASSIGN(const auto metadata, sealed::open_metadata(reader.header(), *released_.record_secret));
    summary_.sample_rate = metadata.sample_rate;
    std::uint64_t pages = reader.chunk_count();
    bool interrupted = !reader.finished();
    std::optional<std::chrono::milliseconds> ends_at;
    if (reader.finished()) {
      CALLVAULT_TRY_ASSIGN(const auto trailer, reader.read_trailer(*released_.record_secret));
      interrupted = trailer.interrupted;
      if (!interrupted) ends_at = std::chrono::milliseconds(metadata.offset_ms) + trailer.duration;
    }
    if (interrupted) {
      // What the disk kept of a dead recorder's last second may not authenticate: a correct prefix is given.
      CALLVAULT_TRY_ASSIGN(pages, reader.authenticated_prefix(audio));
      summary_.incomplete = true;
    }
    return TrackPages::Segment{std::move(reader), std::move(audio), metadata.first_page, pages, ends_at};
  }

  Release& released_;
  const keys::Identity& reviewer_;
  const PlayOptions& options_;
  Opened opened_;
  PlaySummary& summary_;
};

Result<void> Opened::write_pages(TrackPages& pages, ByteSink& sink) {
  // Two mebibytes, one window of the reader: for less, mapping the file weighs against opening its chunks.
  constexpr std::uint64_t kBatch = 2016;
  base::Bytes block(kBatch * codec::kPageBytes);
  for (std::uint64_t at = 0; at < pages.page_count(); at += kBatch) {
    const std::uint64_t n = std::min(kBatch, pages.page_count() - at);
    if (const auto read = pages.read_pages(at, n, block); !read) {
      // What stands before the damage is sound: it is given, and then the damage is told.
      for (std::uint64_t i = 0; i < n && read.error().code == Errc::corrupt; ++i) {
        const auto one = base::MutableBytes(block).first(codec::kPageBytes);
        CALLVAULT_TRY(pages.read_pages(at + i, 1, one));
        CALLVAULT_TRY(give(sink, one));
      }
      return read.error();
    }
    CALLVAULT_TRY(give(sink, base::ByteView(block).first(n * codec::kPageBytes)));
  }
  return {};
}

Result<PlaySummary> Opened::write_opus(ByteSink& sink) {
  TrackPages& pages = *pages_.front();
  CALLVAULT_TRY(write_pages(pages, sink));
  CALLVAULT_TRY_ASSIGN(auto decoder, codec::TrackDecoder::open(pages, summary_.sample_rate));
  CALLVAULT_TRY_ASSIGN(const auto samples, decoder.total_samples());
  summary_.to_s = static_cast<double>(samples) / summary_.sample_rate;
  return summary_;
}

Result<std::vector<Opened::StoredTrack>> Opened::tracks() {
  std::vector<StoredTrack> out;
  for (std::size_t i = 0; i < pages_.size(); ++i) {
    CALLVAULT_TRY_ASSIGN(auto decoder, codec::TrackDecoder::open(*pages_[i], summary_.sample_rate));
    CALLVAULT_TRY_ASSIGN(const auto samples, decoder.total_samples());
    out.push_back({summary_.tracks[i], pages_[i]->page_count() * codec::kPageBytes,
                   static_cast<double>(samples) / summary_.sample_rate});
  }
  return out;
}

Result<void> Opened::write_track(std::size_t index, ByteSink& sink) { return write_pages(*pages_.at(index), sink); }

Result<PlaySummary> Opened::write_wav(ByteSink& sink) {
  const std::uint32_t rate = summary_.sample_rate;
  std::vector<codec::TrackDecoder> decoders;
  std::uint64_t total = 0;
  for (auto& pages : pages_) {
    CALLVAULT_TRY_ASSIGN(auto decoder, codec::TrackDecoder::open(*pages, rate));
    CALLVAULT_TRY_ASSIGN(const auto samples, decoder.total_samples());
    total = std::max(total, samples);
    decoders.push_back(std::move(decoder));
  }
  const std::uint64_t first = from_ ? to_sample(*from_, rate) : 0;
  const std::uint64_t last = to_ ? std::min(total, to_sample(*to_, rate)) : total;
  if (first >= last) return fail(Errc::usage, "the recording is shorter than the part asked for");
  if (first > 0)
    for (auto& decoder : decoders) CALLVAULT_TRY(decoder.seek(first));
  const auto channels = static_cast<unsigned>(decoders.size());
  CALLVAULT_TRY(give(sink, codec::wav_header(rate, channels, last - first)));
  std::vector<std::int16_t> frames(kBlockFrames * channels);
  std::vector<std::int16_t> mono(kBlockFrames);
  for (std::uint64_t at = first; at < last;) {
    const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(kBlockFrames, last - at));
    for (unsigned c = 0; c < channels; ++c) {
      CALLVAULT_TRY(fill(decoders[c], std::span(mono).first(n)));
      for (std::size_t i = 0; i < n; ++i) frames[i * channels + c] = mono[i];
    }
    CALLVAULT_TRY(give(sink, std::as_bytes(std::span(frames).first(n * channels))));
    at += n;
  }
  summary_.from_s = static_cast<double>(first) / rate;
  summary_.to_s = static_cast<double>(last) / rate;
  return summary_;
}

Result<void> Opened::give(ByteSink& sink, base::ByteView bytes) {
  summary_.bytes += bytes.size();
  return sink.write(bytes);
}

Result<PlaySummary> Opened::write(ByteSink& sink) {
  return format_ == PlayFormat::opus ? write_opus(sink) : write_wav(sink);
}

Result<Opened> open(Release released, const keys::Identity& reviewer, const PlayOptions& options) {
  return Opening(released, reviewer, options).run();
}

Result<Opened> open(context::Context& context, const Reviewer& reviewer, const PlayOptions& options,
                    const Occasion& occasion) {
  CALLVAULT_TRY_ASSIGN(auto released, release(context, reviewer.listener, options, occasion));
  return open(std::move(released), reviewer.identity, options);
}

}  // namespace callvault::review
