#include "review/review.h"

#include <algorithm>

#include "codec/wav_writer.h"
#include "context/rows.h"
#include "retention/listening.h"
#include "retention/plan.h"
#include "review/track_pages.h"

namespace callvault::review {
namespace {

using keys::NodeRow;

constexpr std::size_t kBlockFrames = 4096;

std::uint64_t to_sample(std::chrono::milliseconds at, std::uint32_t rate) {
  return static_cast<std::uint64_t>(at.count()) * rate / 1000;
}

retention::OpenRequest gate_request(const NodeRow& row, const PlayOptions& options, Time now, bool outstanding) {
  retention::OpenRequest out;
  out.now = now;
  out.expires_at = row.expires_at;
  out.purpose = options.purpose;
  out.basis = row.basis;
  out.caller_consent = context::deciding_caller_consent(row);
  out.agent_consent = context::deciding_agent_consent(row);
  out.held = !row.holds.empty();
  for (const auto& hold : row.holds) {
    if (!hold.until) {
      out.held_until.reset();
      break;
    }
    out.held_until = std::max(out.held_until.value_or(*hold.until), *hold.until);
  }
  out.restricted = row.restricted;
  out.in_progress = row.in_progress;
  out.erase_requested = outstanding;
  return out;
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
  Opening(context::Context& context, const Reviewer& reviewer, const PlayOptions& options, const Occasion& occasion)
      : context_(context), reviewer_(reviewer), options_(options), occasion_(occasion), summary_(opened_.summary_) {}

  Result<Opened> run(bool examine_only) {
    CALLVAULT_TRY_ASSIGN(const auto stored, context_.catalog.get(options_.id));
    if (!stored) return fail(Errc::not_found, "no recording " + options_.id.text());
    CALLVAULT_TRY_ASSIGN(const auto node, context_.state.open_node(stored->bucket));
    CALLVAULT_TRY_ASSIGN(const auto row, node.find(options_.id));
    if (!row) return fail(Errc::not_found, "no recording " + options_.id.text());
    day_ = context_.state.directory().buckets.at(stored->bucket).day;
    CALLVAULT_TRY(pass_gate(*row));
    CALLVAULT_TRY(choose_tracks(*row));
    if (examine_only) return std::move(opened_);
    if (reviewer_.last_word) CALLVAULT_TRY(reviewer_.last_word());
    CALLVAULT_TRY(journal(*row, occasion_.event, {}));
    for (const auto name : summary_.tracks) CALLVAULT_TRY(open_track(*row, name));
    summary_.id = options_.id;
    opened_.format_ = options_.format;
    opened_.from_ = options_.from;
    opened_.to_ = options_.to;
    return std::move(opened_);
  }

 private:
  Result<void> pass_gate(const NodeRow& row) {
    const auto& outstanding = context_.state.directory().outstanding;
    const bool asked =
        std::any_of(outstanding.begin(), outstanding.end(), [&](const keys::Outstanding& o) { return o.id == row.id; });
    const Result<void> gate = retention::may_open(gate_request(row, options_, context_.now, asked));
    if (!gate) {
      CALLVAULT_TRY(journal(row, "open_refused", std::string(errc_name(gate.error().code))));
      return gate;
    }
    retention::ListenRequest wish{context_.now, options_.purpose, reviewer_.may_listen, reviewer_.purposes};
    if (const auto& window = context_.config.people.evaluation_window) {
      CALLVAULT_TRY_ASSIGN(wish.evaluation_until, context_.zone.add(row.started_at, *window));
    }
    const auto denied = retention::deny_listening(wish);
    if (!denied) return {};
    CALLVAULT_TRY(journal(row, "open_refused", std::string(denied->code)));
    return fail(Errc::refused, context_.log.actor() + " " + denied->message);
  }

  Result<void> choose_tracks(const NodeRow& row) {
    std::vector<TrackName> there;
    for (const auto& t : row.tracks)
      if (std::find(there.begin(), there.end(), t.name) == there.end()) there.push_back(t.name);
    std::sort(there.begin(), there.end());
    if (options_.track == TrackChoice::both) {
      summary_.tracks = there;
    } else {
      const auto wanted = options_.track == TrackChoice::caller ? TrackName::caller : TrackName::agent;
      if (std::find(there.begin(), there.end(), wanted) == there.end())
        return fail(Errc::usage, "recording " + row.id.text() + " has no track " + std::string(to_word(wanted)));
      summary_.tracks = {wanted};
    }
    if (options_.format == PlayFormat::opus && summary_.tracks.size() > 1 && !occasion_.track_by_track)
      return fail(Errc::usage,
                  "one Opus file holds one track of recording " + row.id.text() + ": choose caller or agent");
    if (options_.format == PlayFormat::opus && (options_.from || options_.to))
      return fail(Errc::usage, "a part can be given as wav only; opus gives the whole track");
    if (options_.from && options_.to && *options_.from >= *options_.to)
      return fail(Errc::usage, "the part to play ends before it begins");
    return {};
  }

  Result<void> journal(const NodeRow& row, std::string_view event, std::string refused_as) {
    std::map<std::string, std::string> facts{{"id", row.id.text()},
                                             {"purpose", std::string(to_word(options_.purpose))}};
    std::string tracks;
    for (const auto name : summary_.tracks) tracks += (tracks.empty() ? "" : ",") + std::string(to_word(name));
    if (!tracks.empty()) facts.emplace("tracks", tracks);
    if (options_.from) facts.emplace("from_ms", std::to_string(options_.from->count()));
    if (options_.to) facts.emplace("to_ms", std::to_string(options_.to->count()));
    if (refused_as.empty()) facts.emplace("format", options_.format == PlayFormat::opus ? "opus" : "wav");
    if (!refused_as.empty()) facts.emplace("result", std::move(refused_as));
    CALLVAULT_TRY_ASSIGN(auto entry, context_.log.entry(event, std::move(facts)));
    CALLVAULT_TRY_ASSIGN(const auto secret, crypto::Key::copy_of(row.record_secret));
    CALLVAULT_TRY(context::Log::add_note(entry, row.id, secret, options_.reason));
    CALLVAULT_TRY(context_.log.append({std::move(entry)}));
    return {};
  }

  Result<void> open_track(const NodeRow& row, TrackName name) {
    CALLVAULT_TRY_ASSIGN(const auto record_secret, crypto::Key::copy_of(row.record_secret));
    std::vector<TrackPages::Segment> segments;
    std::optional<Error> missing;
    for (const auto& t : row.tracks) {
      if (t.name != name) continue;
      const auto path = context::find_sealed_file(context_.layout, day_, row.id, name, t.segment);
      if (!path && path.error().code == Errc::not_found) {
        // Lost, or given up by its recorder on a failing disk: what stands before the gap is heard all the same.
        missing = fail(Errc::corrupt, path.error().message);
        summary_.incomplete = true;
        continue;
      }
      if (!path) return path.error();
      CALLVAULT_TRY_ASSIGN(auto reader, sealed::Reader::open(*path));
      if (reader.header().hash != t.header_hash)
        return fail(Errc::corrupt, "the header of " + path->filename().string() + " is not the one that was settled");
      CALLVAULT_TRY_ASSIGN(const crypto::Key* review, reviewer_.identity.review_key(reader.header().review_key));
      CALLVAULT_TRY_ASSIGN(const auto track_secret, crypto::Key::copy_of(t.secret));
      CALLVAULT_TRY_ASSIGN(auto audio, sealed::audio_key(reader.header(), *review, track_secret));
      CALLVAULT_TRY_ASSIGN(const auto metadata, sealed::open_metadata(reader.header(), record_secret));
      summary_.sample_rate = metadata.sample_rate;
      std::uint64_t pages = reader.chunk_count();
      bool interrupted = !reader.finished();
      std::optional<std::chrono::milliseconds> ends_at;
      if (reader.finished()) {
        CALLVAULT_TRY_ASSIGN(const auto trailer, reader.read_trailer(record_secret));
        interrupted = trailer.interrupted;
        if (!interrupted) ends_at = std::chrono::milliseconds(metadata.offset_ms) + trailer.duration;
      }
      if (interrupted) {
        // What the disk kept of a dead recorder's last second may not authenticate: a correct prefix is given.
        CALLVAULT_TRY_ASSIGN(pages, reader.authenticated_prefix(audio));
        summary_.incomplete = true;
      }
      segments.push_back({std::move(reader), std::move(audio), metadata.first_page, pages, ends_at});
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

  context::Context& context_;
  const Reviewer& reviewer_;
  const PlayOptions& options_;
  const Occasion& occasion_;
  std::int32_t day_ = 0;
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

Result<Opened> open(context::Context& context, const Reviewer& reviewer, const PlayOptions& options,
                    const Occasion& occasion) {
  return Opening(context, reviewer, options, occasion).run(false);
}

Result<void> examine(context::Context& context, const Reviewer& reviewer, const PlayOptions& options) {
  const Occasion occasion{"examined", true};
  CALLVAULT_TRY(Opening(context, reviewer, options, occasion).run(true));
  return {};
}

}  // namespace callvault::review
