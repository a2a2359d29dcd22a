#include "capture/registration.h"

#include <algorithm>
#include <set>

#include "context/rows.h"
#include "sealed/reader.h"

namespace callvault::capture {
namespace {

using keys::NodeRow;

constexpr crypto::Digest kUnknownHash{};

Result<std::optional<Registered>> look_in(const context::Context& context, std::uint32_t bucket,
                                          const RecordingId& id) {
  CALLVAULT_TRY_ASSIGN(const auto node, context.state.open_node(bucket));
  CALLVAULT_TRY_ASSIGN(const auto row, node.find(id));
  if (!row) return std::optional<Registered>();
  Registered out{bucket, {}, row->in_progress};
  for (const auto& t : row->tracks) out.tracks.emplace_back(t.name, t.segment);
  return std::optional<Registered>(std::move(out));
}

// Opens a header's secrets with the intake key it names. A file registered before its intake key went has its secrets
// in the node instead.
Result<sealed::Secrets> secrets_of(const context::Context& context, const sealed::Header& header,
                                   const std::optional<NodeRow>& registered) {
  if (registered) {
    for (const auto& t : registered->tracks) {
      if (t.name != header.track || t.segment != header.segment) continue;
      CALLVAULT_TRY_ASSIGN(auto recording, crypto::Key::copy_of(registered->record_secret));
      CALLVAULT_TRY_ASSIGN(auto track, crypto::Key::copy_of(t.secret));
      return sealed::Secrets{std::move(recording), std::move(track)};
    }
  }
  const auto& intake = context.state.directory().intake;
  const auto it = intake.find(header.intake_key);
  if (it == intake.end())
    return fail(Errc::corrupt, "sealed to intake key " + std::to_string(header.intake_key) + ", which is gone");
  return sealed::open_intake_box(header, it->second.secret, it->second.pepper);
}

void describe(const sealed::CallMetadata& metadata, Registration& out, bool is_new) {
  out.details.direction = metadata.direction;
  out.details.caller = metadata.caller;
  out.details.called = metadata.called;
  out.details.agent = metadata.agent;
  out.details.call_id = metadata.call_id;
  out.details.notice = metadata.notice;
  out.details.notice_played = metadata.notice_played;
  out.call_id = metadata.call_id;
  out.retention_class = metadata.retention_class;
  if (!is_new) return;
  out.row.started_at = metadata.started_at;
  out.row.consent_since = metadata.started_at;
  out.row.basis = metadata.basis;
  out.row.caller_consent = metadata.consent;
  out.row.agent_consent = metadata.agent_consent;
}

// Where it was listed, or under its final name when its recorder has finished it since.
Result<sealed::Reader> open_listed(const IncomingFile& file) {
  auto reader = sealed::Reader::open(file.path);
  if (reader || reader.error().code != Errc::not_found || file.name.state != sealed::FileState::part) return reader;
  sealed::FileName finished = file.name;
  finished.state = sealed::FileState::finished;
  return sealed::Reader::open(file.path.parent_path() / sealed::to_text(finished));
}

using FileKey = std::pair<TrackName, std::uint16_t>;

// What a registered recording is, is added to, never replaced: its other files may have left incoming/ already.
class Reading {
 public:
  Reading(context::Context& context, IncomingCall& call, const std::optional<NodeRow>& registered, std::int32_t day)
      : context_(context), call_(call), registered_(registered), day_(day) {}

  Result<Registration> run() {
    if (registered_) CALLVAULT_TRY(take_registered());
    out_.row.id = call_.id;
    out_.row.in_progress = call_.alive();
    std::sort(call_.files.begin(), call_.files.end(), [](const IncomingFile& a, const IncomingFile& b) {
      return std::tie(a.name.track, a.name.segment) < std::tie(b.name.track, b.name.segment);
    });
    for (auto& file : call_.files) CALLVAULT_TRY(add(file));
    if (recovered_) CALLVAULT_TRY(os::sync_folder(context_.layout.incoming()));
    if (registered_) take_stored();
    CALLVAULT_TRY(set_expiry());
    take_ends();
    out_.recovered = recovered_;
    out_.changed = !registered_ || registered_->in_progress != out_.row.in_progress ||
                   registered_->tracks.size() != out_.row.tracks.size();
    std::sort(out_.row.tracks.begin(), out_.row.tracks.end(),
              [](const auto& a, const auto& b) { return std::tie(a.name, a.segment) < std::tie(b.name, b.segment); });
    return std::move(out_);
  }

 private:
  // Holds, consent and restriction may have changed since the call was registered: the node knows better.
  Result<void> take_registered() {
    out_.row = *registered_;
    CALLVAULT_TRY_ASSIGN(out_.row.record_secret, keep(registered_->record_secret));
    for (auto& track : out_.row.tracks) {
      CALLVAULT_TRY_ASSIGN(track.secret, keep(track.secret));
    }
    out_.row.flags = {};
    out_.row.flags.duplicate_call_id = registered_->flags.duplicate_call_id;
    return {};
  }

  // A copy in locked memory that lives as long as the registration.
  Result<base::ByteView> keep(base::ByteView secret) {
    CALLVAULT_TRY_ASSIGN(auto copy, crypto::Key::copy_of(secret));
    out_.secrets.push_back(std::move(copy));
    return base::ByteView(out_.secrets.back().reveal());
  }

  Result<void> add(IncomingFile& file) {
    CALLVAULT_TRY_ASSIGN(auto reader, open_listed(file));
    const sealed::Header& header = reader.header();
    if (header.id != call_.id || header.track != file.name.track || header.segment != file.name.segment)
      return fail(Errc::corrupt, "the header belongs to another recording");
    CALLVAULT_TRY_ASSIGN(auto secrets, secrets_of(context_, header, registered_));
    CALLVAULT_TRY_ASSIGN(const auto metadata, sealed::open_metadata(header, secrets.recording));
    if (out_.row.record_secret.empty()) {
      CALLVAULT_TRY_ASSIGN(out_.row.record_secret, keep(secrets.recording.reveal()));
    } else if (!crypto::equal(out_.row.record_secret, secrets.recording.reveal())) {
      return fail(Errc::corrupt, "its files do not belong together");
    }
    if (!described_) describe(metadata, out_, !registered_);
    described_ = true;
    CALLVAULT_TRY(add_track(header, secrets.track));
    if (std::find(out_.row.intake.begin(), out_.row.intake.end(), header.intake_key) == out_.row.intake.end())
      out_.row.intake.push_back(header.intake_key);
    if (!file.alive) CALLVAULT_TRY(finish(file, reader, metadata, secrets.recording));
    expected_.insert(metadata.tracks.begin(), metadata.tracks.end());
    out_.details.tracks.push_back(
        Track{header.track, header.segment, metadata.sample_rate, file_bytes_.value_or(reader.file_bytes())});
    file_bytes_.reset();
    return {};
  }

  Result<void> add_track(const sealed::Header& header, const crypto::Key& secret) {
    for (const auto& t : out_.row.tracks) {
      if (t.name != header.track || t.segment != header.segment) continue;
      if (t.header_hash != header.hash) return fail(Errc::corrupt, "its header is not the one that was registered");
      return {};
    }
    CALLVAULT_TRY_ASSIGN(const auto kept, keep(secret.reveal()));
    out_.row.tracks.push_back({header.track, header.segment, header.hash, kept});
    return {};
  }

  Result<void> finish(IncomingFile& file, sealed::Reader& reader, const sealed::CallMetadata& metadata,
                      const crypto::Key& s0) {
    sealed::Trailer trailer;
    if (file.name.state == sealed::FileState::part) {
      CALLVAULT_TRY_ASSIGN(trailer, recover(file, s0));
    } else {
      CALLVAULT_TRY_ASSIGN(trailer, reader.read_trailer(s0));
    }
    take_end({file.name.track, file.name.segment}, metadata, trailer);
    return {};
  }

  void take_end(const FileKey& key, const sealed::CallMetadata& metadata, const sealed::Trailer& trailer) {
    ends_[key] = context::end_of(metadata, trailer);
    hashes_[key] = trailer.audio_hash;
  }

  // The registered files that lie in recordings/ already: how long they are, and how large. Where one cannot be read,
  // what the node says of the whole recording stays.
  void take_stored() {
    for (const auto& t : registered_->tracks) {
      const bool is_incoming = std::any_of(call_.files.begin(), call_.files.end(), [&](const IncomingFile& f) {
        return f.name.track == t.name && f.name.segment == t.segment;
      });
      if (is_incoming || take_stored(t)) continue;
      out_.row.flags.truncated = out_.row.flags.truncated || registered_->flags.truncated;
      out_.row.flags.interrupted = out_.row.flags.interrupted || registered_->flags.interrupted;
      if (registered_->duration_s > 0) out_.details.duration_ms = std::uint64_t{registered_->duration_s} * 1000;
    }
    std::sort(out_.details.tracks.begin(), out_.details.tracks.end(),
              [](const Track& a, const Track& b) { return std::tie(a.name, a.segment) < std::tie(b.name, b.segment); });
  }

  bool take_stored(const keys::TrackSecret& track) {
    const auto path = context::find_sealed_file(context_.layout, day_, call_.id, track.name, track.segment);
    if (!path) return false;
    auto reader = sealed::Reader::open(*path);
    const auto s0 = crypto::Key::copy_of(out_.row.record_secret);
    if (!reader || !s0) return false;
    const auto metadata = sealed::open_metadata(reader->header(), *s0);
    const auto trailer = reader->read_trailer(*s0);
    if (!metadata || !trailer) return false;
    take_end({track.name, track.segment}, *metadata, *trailer);
    out_.details.tracks.push_back(Track{track.name, track.segment, metadata->sample_rate, reader->file_bytes()});
    return true;
  }

  void take_ends() {
    std::map<TrackName, context::TrackEnd> last;  // of several segments only the last one counts
    for (const auto& [key, end] : ends_) last[key.first] = end;
    for (const auto& [key, hash] : hashes_) out_.audio_hash[key.first] = hash;
    for (const auto& [name, end] : last) {
      const auto ms = static_cast<std::uint64_t>(std::max<std::int64_t>(end.length.count(), 0));
      out_.details.duration_ms = std::max(out_.details.duration_ms.value_or(0), ms);
      out_.details.ended_at = std::max(out_.details.ended_at.value_or(end.at), end.at);
      out_.row.duration_s = static_cast<std::uint32_t>((*out_.details.duration_ms + 500) / 1000);
      out_.row.flags.truncated = out_.row.flags.truncated || end.truncated;
      out_.row.flags.interrupted = out_.row.flags.interrupted || end.interrupted;
    }
    // A recorder that died between two tracks' files, or a file that comes later: settled with what is there.
    for (const auto& t : out_.row.tracks) expected_.erase(t.name);
    out_.incomplete = !expected_.empty() && !out_.row.in_progress;
    if (out_.incomplete) out_.row.flags.interrupted = true;
    out_.details.flags = out_.row.flags;
  }

  // A dead recorder's file: a trailer, then the finished name.
  Result<sealed::Trailer> recover(IncomingFile& file, const crypto::Key& s0) {
    if (!file.lock.is_open()) return fail(Errc::refused, "cannot be completed: it may not be written");
    CALLVAULT_TRY_ASSIGN(auto trailer, sealed::recover_trailer(file.lock, s0));
    // A trailer that was there already may be one whose sync failed or never came.
    CALLVAULT_TRY(file.lock.sync_data());
    sealed::FileName finished = file.name;
    finished.state = sealed::FileState::finished;
    const os::Path path = context_.layout.incoming() / sealed::to_text(finished);
    CALLVAULT_TRY(os::rename_file(file.path, path));
    file.path = path;
    file.name = finished;
    CALLVAULT_TRY_ASSIGN(file_bytes_, file.lock.size());
    recovered_ = true;
    return trailer;
  }

  Result<void> set_expiry() {
    if (registered_) return {};
    // A class that was taken out of vault.toml after the call began: the default's period, never none.
    auto period = context_.config.period_of(out_.retention_class);
    if (!period) out_.retention_class = "default";
    if (!period) period = context_.config.period_of("default");
    if (!period) return std::move(period).error();
    CALLVAULT_TRY_ASSIGN(out_.row.expires_at, context_.zone.add(out_.row.started_at, *period));
    return {};
  }

  context::Context& context_;
  IncomingCall& call_;
  const std::optional<NodeRow>& registered_;
  std::int32_t day_;  // of the bucket it is registered in
  Registration out_;
  std::optional<std::uint64_t> file_bytes_;
  std::map<FileKey, context::TrackEnd> ends_;
  std::map<FileKey, crypto::Digest> hashes_;
  std::set<TrackName> expected_;  // what its headers say it has
  bool described_ = false;
  bool recovered_ = false;
};

bool same_audio(const std::map<TrackName, crypto::Digest>& a, const std::map<TrackName, crypto::Digest>& b) {
  if (a.empty() || a.size() != b.size()) return false;
  return std::all_of(a.begin(), a.end(), [&](const auto& item) {
    const auto it = b.find(item.first);
    return item.second != kUnknownHash && it != b.end() && it->second == item.second;
  });
}

Result<std::map<TrackName, crypto::Digest>> audio_hashes(const context::Context& context, std::int32_t day,
                                                         const NodeRow& row) {
  std::map<TrackName, crypto::Digest> out;
  CALLVAULT_TRY_ASSIGN(const auto secret, crypto::Key::copy_of(row.record_secret));
  for (const auto& t : row.tracks) {
    CALLVAULT_TRY_ASSIGN(const auto path, context::find_sealed_file(context.layout, day, row.id, t.name, t.segment));
    CALLVAULT_TRY_ASSIGN(auto reader, sealed::Reader::open(path));
    if (!reader.finished()) continue;
    CALLVAULT_TRY_ASSIGN(const auto trailer, reader.read_trailer(secret));
    out[t.name] = trailer.audio_hash;
  }
  return out;
}

}  // namespace

Result<std::optional<Registered>> find_registered(const context::Context& context, const RecordingId& id) {
  CALLVAULT_TRY_ASSIGN(const auto row, context.catalog.get(id));
  if (row && context.state.directory().buckets.contains(row->bucket)) {
    CALLVAULT_TRY_ASSIGN(auto found, look_in(context, row->bucket, id));
    if (found) return found;
  }
  return std::optional<Registered>();
}

bool has_new_files(const IncomingCall& call, const Registered& known) {
  return std::any_of(call.files.begin(), call.files.end(), [&](const IncomingFile& f) {
    return std::find(known.tracks.begin(), known.tracks.end(), std::pair(f.name.track, f.name.segment)) ==
           known.tracks.end();
  });
}

std::vector<std::uint32_t> intake_of(const context::Context& context, const IncomingCall& call) {
  std::set<std::uint32_t> out;
  for (const auto& file : call.files) {
    const auto reader = open_listed(file);
    if (!reader) {
      // Whatever its header names: another day the disk may give it. What is no sealed file needs no key; nor does one
      // that is closed to us, which no recorder of ours leaves: anyone who may record could stop every erasure by it.
      if (reader.error().code != Errc::corrupt && reader.error().code != Errc::refused)
        for (const auto& [id, key] : context.state.directory().intake) out.insert(id);
      continue;
    }
    // A box that its own key does not open is opened by no key that comes later.
    const auto secrets = secrets_of(context, reader->header(), std::nullopt);
    if (secrets || secrets.error().code != Errc::corrupt) out.insert(reader->header().intake_key);
  }
  return {out.begin(), out.end()};
}

std::optional<Error> why_unreadable(const context::Context& context, const IncomingCall& call) {
  for (const auto& file : call.files) {
    auto reader = open_listed(file);
    if (!reader) return std::move(reader).error();
    const auto secrets = secrets_of(context, reader->header(), std::nullopt);
    if (!secrets) return secrets.error();
    const auto metadata = sealed::open_metadata(reader->header(), secrets->recording);
    if (!metadata) return metadata.error();
  }
  return std::nullopt;
}

Result<void> check_fits(const keys::NodeRow& row) {
  std::vector<NodeRow> alone{row};
  CALLVAULT_TRY(keys::encode_node(alone));
  return {};
}

Result<Registration> read_registration(context::Context& context, IncomingCall& call,
                                       const std::optional<Registered>& known) {
  if (!known) return Reading(context, call, std::nullopt, 0).run();
  CALLVAULT_TRY_ASSIGN(const auto node, context.state.open_node(known->bucket));
  CALLVAULT_TRY_ASSIGN(const auto row, node.find(call.id));
  return Reading(context, call, row, context.state.directory().buckets.at(known->bucket).day).run();
}

Result<bool> fold_repeated(context::Context& context, const keys::Bucket& bucket, std::vector<NodeRow>& rows,
                           Registration& fresh) {
  if (fresh.call_id.empty() || fresh.row.in_progress) return false;
  for (auto& row : rows) {
    if (row.started_at != fresh.row.started_at || row.in_progress || row.id == fresh.row.id) continue;
    const auto details = context::row_from_files(context.layout, bucket.day, row);
    if (!details || details->call_id != fresh.call_id) continue;
    // One whose files cannot be read is not known to be the same: both stay.
    const auto hashes = audio_hashes(context, bucket.day, row);
    if (hashes && !fresh.incomplete && same_audio(*hashes, fresh.audio_hash)) {
      // Whoever holds an old copy of the repeat could open it with these: they must go when the first one goes.
      NodeRow joined = row;
      for (const auto id : fresh.row.intake)
        if (std::find(row.intake.begin(), row.intake.end(), id) == row.intake.end()) joined.intake.push_back(id);
      if (check_fits(joined)) {
        row = std::move(joined);
        fresh.folded_into = row.id;
        return true;
      }
    }
    row.flags.duplicate_call_id = true;
    fresh.row.flags.duplicate_call_id = true;
    fresh.details.flags.duplicate_call_id = true;
  }
  return false;
}

}  // namespace callvault::capture
