#include "review/release.h"

#include <algorithm>

#include "context/rows.h"
#include "retention/listening.h"
#include "retention/plan.h"

namespace callvault::review {
namespace {

using keys::NodeRow;

retention::OpenRequest gate_request(const NodeRow& row, const PlayOptions& options, Time now, bool outstanding) {
  retention::OpenRequest out;
  out.now = now;
  out.expires_at = row.expires_at;
  out.purpose = options.purpose;
  out.basis = row.basis;
  out.caller_consent = context::deciding_caller_consent(row);
  out.agent_consent = context::deciding_agent_consent(row);
  out.held = !row.holds.empty();
  out.held_until = context::latest_hold_end(row);
  out.restricted = row.restricted;
  out.in_progress = row.in_progress;
  out.erase_requested = outstanding;
  return out;
}

}  // namespace

class Releasing {
 public:
  Releasing(context::Context& context, const Listener& listener, const PlayOptions& options, const Occasion& occasion)
      : context_(context), listener_(listener), options_(options), occasion_(occasion) {}

  Result<Release> run(bool examine_only) {
    CALLVAULT_TRY_ASSIGN(const auto stored, context_.catalog.get(options_.id));
    if (!stored) return fail(Errc::not_found, "no recording " + options_.id.text());
    CALLVAULT_TRY_ASSIGN(const auto node, context_.state.open_node(stored->bucket));
    CALLVAULT_TRY_ASSIGN(const auto row, node.find(options_.id));
    if (!row) return fail(Errc::not_found, "no recording " + options_.id.text());
    day_ = context_.state.directory().buckets.at(stored->bucket).day;
    CALLVAULT_TRY(pass_gate(*row));
    CALLVAULT_TRY(choose_tracks(*row));
    if (examine_only) return std::move(out_);
    if (listener_.last_word) CALLVAULT_TRY(listener_.last_word());
    CALLVAULT_TRY(journal(*row, occasion_.event, {}));
    out_.id = options_.id;
    CALLVAULT_TRY_ASSIGN(out_.record_secret, crypto::Key::copy_of(row->record_secret));
    for (const auto name : out_.tracks)
      for (const auto& track : row->tracks)
        if (track.name == name) CALLVAULT_TRY(add_segment(track));
    return std::move(out_);
  }

 private:
  Result<void> pass_gate(const NodeRow& row) {
    const auto& outstanding = context_.state.directory().outstanding;
    const bool asked =
        std::any_of(outstanding.begin(), outstanding.end(), [&](const keys::Outstanding& o) { return o.id == row.id; });
    Result<void> gate = retention::may_open(gate_request(row, options_, context_.now, asked));
    if (!gate) {
      CALLVAULT_TRY(journal(row, "open_refused", std::string(errc_name(gate.error().code))));
      return gate;
    }
    retention::ListenRequest wish{context_.now, options_.purpose, listener_.may_listen, listener_.purposes};
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
      out_.tracks = there;
    } else {
      const auto wanted = options_.track == TrackChoice::caller ? TrackName::caller : TrackName::agent;
      if (std::find(there.begin(), there.end(), wanted) == there.end())
        return fail(Errc::usage, "recording " + row.id.text() + " has no track " + std::string(to_word(wanted)));
      out_.tracks = {wanted};
    }
    if (options_.format == PlayFormat::opus && out_.tracks.size() > 1 && !occasion_.track_by_track)
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
    for (const auto name : out_.tracks) tracks += (tracks.empty() ? "" : ",") + std::string(to_word(name));
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

  Result<void> add_segment(const keys::TrackSecret& track) {
    ReleasedSegment segment{track.name, track.segment, track.header_hash, {}, {}, {}};
    CALLVAULT_TRY_ASSIGN(segment.secret, crypto::Key::copy_of(track.secret));
    const auto path = context::find_sealed_file(context_.layout, day_, options_.id, track.name, track.segment);
    if (!path && path.error().code != Errc::not_found) return path.error();
    if (path) {
      segment.name = path->filename().string();
      CALLVAULT_TRY_ASSIGN(segment.file, os::File::open_read(*path, os::Links::refuse));
    } else {
      // Lost, or given up by its recorder on a failing disk: what stands before the gap is heard all the same.
      segment.name = path.error().message;
    }
    out_.segments.push_back(std::move(segment));
    return {};
  }

  context::Context& context_;
  const Listener& listener_;
  const PlayOptions& options_;
  const Occasion& occasion_;
  std::int32_t day_ = 0;
  Release out_;
};

Result<Release> release(context::Context& context, const Listener& listener, const PlayOptions& options,
                        const Occasion& occasion) {
  return Releasing(context, listener, options, occasion).run(false);
}

Result<void> examine(context::Context& context, const Listener& listener, const PlayOptions& options) {
  const Occasion occasion{"examined", true};
  CALLVAULT_TRY(Releasing(context, listener, options, occasion).run(true));
  return {};
}

}  // namespace callvault::review
