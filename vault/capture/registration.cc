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

void describe(const sealed::CallMetadata& metadata, Registration& out) {
  out.details.direction = metadata.direction;
  out.details.caller = metadata.caller;
  out.details.called = metadata.called;
  out.details.agent = metadata.agent;
  out.details.call_id = metadata.call_id;
  out.details.notice = metadata.notice;
  out.details.notice_played = metadata.notice_played;
  out.call_id = metadata.call_id;
  out.retention_class = metadata.retention_class;
  out.row.started_at = metadata.started_at;
  out.row.consent_since = metadata.started_at;
  out.row.basis = metadata.basis;
  out.row.caller_consent = metadata.consent;
}

class Reading {
 public:
  Reading(context::Context& context, IncomingCall& call, const std::optional<NodeRow>& registered)
      : context_(context), call_(call), registered_(registered) {}

  Result<Registration> run() {
    out_.row.id = call_.id;
    out_.row.in_progress = call_.alive();
    std::sort(call_.files.begin(), call_.files.end(), [](const IncomingFile& a, const IncomingFile& b) {
      return std::tie(a.name.track, a.name.segment) < std::tie(b.name.track, b.name.segment);
    });
    for (auto& file : call_.files) CALLVAULT_TRY(add(file));
    if (recovered_) CALLVAULT_TRY(os::sync_folder(context_.layout.incoming()));
    if (registered_) keep_decisions();
    CALLVAULT_TRY(set_expiry());
    take_ends();
    out_.recovered = recovered_;
    return std::move(out_);
  }

 private:
  Result<void> add(IncomingFile& file) {
    CALLVAULT_TRY_ASSIGN(auto reader, sealed::Reader::open(file.path));
    const sealed::Header& header = reader.header();
    if (header.id != call_.id || header.track != file.name.track || header.segment != file.name.segment)
      return fail(Errc::corrupt, "the header belongs to another recording");
    CALLVAULT_TRY_ASSIGN(auto secrets, secrets_of(context_, header, registered_));
    CALLVAULT_TRY_ASSIGN(const auto metadata, sealed::open_metadata(header, secrets.recording));
    if (out_.secrets.empty()) {
      describe(metadata, out_);
      out_.secrets.push_back(std::move(secrets.recording));
      out_.row.record_secret = out_.secrets.front().reveal();
    } else if (!crypto::equal(out_.row.record_secret, secrets.recording.reveal())) {
      return fail(Errc::corrupt, "its files do not belong together");
    }
    out_.secrets.push_back(std::move(secrets.track));
    out_.row.tracks.push_back({header.track, header.segment, header.hash, out_.secrets.back().reveal()});
    if (std::find(out_.row.intake.begin(), out_.row.intake.end(), header.intake_key) == out_.row.intake.end())
      out_.row.intake.push_back(header.intake_key);
    if (!file.alive) CALLVAULT_TRY(finish(file, reader, metadata));
    out_.details.tracks.push_back(
        Track{header.track, header.segment, metadata.sample_rate, file_bytes_.value_or(reader.file_bytes())});
    file_bytes_.reset();
    return {};
  }

  Result<void> finish(IncomingFile& file, sealed::Reader& reader, const sealed::CallMetadata& metadata) {
    const crypto::Key& s0 = out_.secrets.front();
    sealed::Trailer trailer;
    if (file.name.state == sealed::FileState::part) {
      CALLVAULT_TRY_ASSIGN(trailer, recover(file, s0));
    } else {
      CALLVAULT_TRY_ASSIGN(trailer, reader.read_trailer(s0));
    }
    ends_[file.name.track] = context::end_of(metadata, trailer);
    out_.audio_hash[file.name.track] = trailer.audio_hash;
    return {};
  }

  void take_ends() {
    for (const auto& [name, end] : ends_) {
      const auto ms = static_cast<std::uint64_t>(std::max<std::int64_t>(end.length.count(), 0));
      out_.details.duration_ms = std::max(out_.details.duration_ms.value_or(0), ms);
      out_.details.ended_at = std::max(out_.details.ended_at.value_or(end.at), end.at);
      out_.row.duration_s = static_cast<std::uint32_t>((*out_.details.duration_ms + 500) / 1000);
      out_.row.flags.truncated = out_.row.flags.truncated || end.truncated;
      out_.row.flags.interrupted = out_.row.flags.interrupted || end.interrupted;
    }
    out_.details.flags = out_.row.flags;
  }

  // A dead recorder's file: a trailer, then the finished name.
  Result<sealed::Trailer> recover(IncomingFile& file, const crypto::Key& s0) {
    if (!file.lock.is_open()) return fail(Errc::refused, "cannot be completed: it may not be written");
    CALLVAULT_TRY_ASSIGN(auto trailer, sealed::recover_trailer(file.lock, s0));
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

  // Holds, consent and restriction may have changed since the call was registered: the node knows better.
  void keep_decisions() {
    out_.row.caller_consent = registered_->caller_consent;
    out_.row.agent_consent = registered_->agent_consent;
    out_.row.consent_since = registered_->consent_since;
    out_.row.restricted = registered_->restricted;
    out_.row.holds = registered_->holds;
    for (const auto id : registered_->intake)
      if (std::find(out_.row.intake.begin(), out_.row.intake.end(), id) == out_.row.intake.end())
        out_.row.intake.push_back(id);
    out_.changed =
        registered_->in_progress != out_.row.in_progress || registered_->tracks.size() != out_.row.tracks.size();
  }

  Result<void> set_expiry() {
    if (registered_) {
      out_.row.expires_at = registered_->expires_at;
      return {};
    }
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
  Registration out_;
  std::optional<std::uint64_t> file_bytes_;
  std::map<TrackName, context::TrackEnd> ends_;
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

std::vector<std::uint32_t> intake_of(const IncomingCall& call) {
  std::set<std::uint32_t> out;
  for (const auto& file : call.files)
    if (const auto reader = sealed::Reader::open(file.path)) out.insert(reader->header().intake_key);
  return {out.begin(), out.end()};
}

Result<Registration> read_registration(context::Context& context, IncomingCall& call,
                                       const std::optional<Registered>& known) {
  if (!known) return Reading(context, call, std::nullopt).run();
  CALLVAULT_TRY_ASSIGN(const auto node, context.state.open_node(known->bucket));
  CALLVAULT_TRY_ASSIGN(const auto row, node.find(call.id));
  return Reading(context, call, row).run();
}

Result<bool> fold_repeated(context::Context& context, const keys::Bucket& bucket, std::vector<NodeRow>& rows,
                           Registration& fresh) {
  if (fresh.call_id.empty() || fresh.row.in_progress) return false;
  for (auto& row : rows) {
    if (row.started_at != fresh.row.started_at || row.in_progress || row.id == fresh.row.id) continue;
    const auto details = context::row_from_files(context.layout, bucket.day, row);
    if (!details || details->call_id != fresh.call_id) continue;
    CALLVAULT_TRY_ASSIGN(const auto hashes, audio_hashes(context, bucket.day, row));
    if (same_audio(hashes, fresh.audio_hash)) {
      fresh.folded_into = row.id;
      // Whoever holds an old copy of the repeat could open it with these: they must go when the first one goes.
      for (const auto id : fresh.row.intake)
        if (std::find(row.intake.begin(), row.intake.end(), id) == row.intake.end()) row.intake.push_back(id);
      return true;
    }
    row.flags.duplicate_call_id = true;
    fresh.row.flags.duplicate_call_id = true;
    fresh.details.flags.duplicate_call_id = true;
  }
  return false;
}

}  // namespace callvault::capture
