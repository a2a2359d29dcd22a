// Copies for the people in a call: by a granted request, as far as the parties agreed, sealed to whom they are for.
#include <algorithm>
#include <map>

#include "callvault/disclosure.h"
#include "context/rows.h"
#include "disclosure/age_writer.h"
#include "disclosure/vcon.h"
#include "dual_control.h"
#include "review/review.h"
#include "rights/copies.h"
#include "rights/requests.h"
#include "subject.h"
#include "vault_evidence.h"

namespace callvault {
namespace {

constexpr std::size_t kMaxReasonOfCopy = 4096;

// What was decided under the lock; what is written needs it no more.
struct Copy {
  CopySummary summary;
  std::optional<review::Opened> opened;
  std::optional<Tombstone> tombstone;
  CallRecord record;
  std::map<RecordingId, crypto::Key> secrets;  // of the one, for its envelopes
  disclosure::Detail detail = disclosure::Detail::everything;
  Time at{};
};

class Copying {
 public:
  Copying(Session& session, const Person& person, const CopyOptions& options)
      : session_(session), context_(session.context()), person_(person), options_(options) {}

  Result<Copy> run() {
    CALLVAULT_TRY_ASSIGN(auto requests, rights::Requests::load(context_));
    const auto asked = requests.find(options_.request);
    if (!asked) return refused(asked.error());
    Request* const request = *asked;
    if (const auto allowed = rights::may_copy(*request); !allowed) return refused(allowed.error());
    Copy out;
    out.at = context_.now;
    out.summary.id = options_.id;
    out.summary.request = request->id;
    out.summary.form = options_.form;
    auto found = locate_stored(context_, options_.id);
    const bool stub = !found && found.error().code == Errc::gone && options_.form == CopyForm::vcon;
    if (!found && !stub) return refused(std::move(found).error());
    CALLVAULT_TRY(context_.state.check_room());
    Request theirs = *request;  // and what is one number's is all numbers' of a person
    CALLVAULT_TRY_ASSIGN(theirs.numbers, numbers_of_person(context_, request->numbers));
    CALLVAULT_TRY(stub ? take_stub(out) : open(theirs, *found, out));
    CALLVAULT_TRY(rights::note_copy(
        *request, {context_.now, person_.name(), options_.id, out.summary.tracks, options_.form, recipient()}));
    CALLVAULT_TRY(requests.stage(context_));
    CALLVAULT_TRY(context_.log.pin_head());
    CALLVAULT_TRY(context_.state.commit());
    CALLVAULT_TRY(context_.state.remove_superseded());
    return out;
  }

 private:
  // The journal names the recording, not the request: a request beside ids would tell for ever whose they were.
  Result<Copy> refused(Error why) {
    CALLVAULT_TRY(context_.log.append("copy_refused", {{"id", options_.id.text()},
                                                       {"purpose", std::string(to_word(options_.purpose))},
                                                       {"result", std::string(errc_name(why.code))}}));
    return why;
  }

  std::string recipient() const {
    return options_.seal_for.passphrase != nullptr ? "passphrase" : options_.seal_for.recipient;
  }

  Result<void> take_stub(Copy& out) {
    CALLVAULT_TRY_ASSIGN(out.tombstone, context_.catalog.tombstone(options_.id));
    out.summary.gone = true;
    CALLVAULT_TRY(context_.log.append("tombstone_copied", {{"id", options_.id.text()}}));
    return {};
  }

  Result<void> open(const Request& request, const Located& found, Copy& out) {
    const auto& bucket = context_.state.directory().buckets.at(found.bucket);
    CALLVAULT_TRY_ASSIGN(const auto details, context::row_of(context_, bucket, found.row));
    out.record = to_record(bucket, found.row, details, context_.now);
    const bool outbound = out.record.direction == Direction::out && !out.record.called.empty();
    rights::CopySubject subject{options_.id, outbound ? out.record.called : out.record.caller, {}, found.row.basis};
    for (const auto& t : found.row.tracks) subject.tracks.push_back(t.name);
    const auto extent = rights::copy_extent(request, subject, context_.config.copy_consent);
    if (!extent) return refused(extent.error()).error();
    const auto& names = subject.tracks;
    const bool several = std::any_of(names.begin(), names.end(), [&](TrackName t) { return t != names.front(); });
    if (options_.form == CopyForm::opus && extent->tracks == TrackChoice::both && several)
      return fail(Errc::usage, "one Opus file holds one track, and recording " + options_.id.text() +
                                   " has more: a copy of all of it is wav or vcon");
    out.summary.whole = extent->whole;
    if (!extent->whole)
      out.detail =
          extent->tracks == TrackChoice::caller ? disclosure::Detail::caller_only : disclosure::Detail::agent_only;
    PlayOptions play;
    play.id = options_.id;
    play.track = extent->tracks;
    play.format = options_.form == CopyForm::wav ? PlayFormat::wav : PlayFormat::opus;
    play.purpose = options_.purpose;
    play.reason = "request " + request.id + ", sealed to " + recipient() +
                  (options_.reason.empty() ? "" : ": " + options_.reason);
    const auto roles = context_.state.directory().people.at(person_.name()).roles;
    review::Reviewer reviewer{
        person_.impl().identity,
        {(roles & static_cast<unsigned>(Role::reviewer)) != 0, context_.config.people.purposes_of(roles), {}}};
    reviewer.listener.last_word = [&] {
      return require_second_for_copies(
          session_, {options_.id},
          {"copy", request.id, std::string(to_word(options_.form)), std::string(to_word(options_.purpose)),
           recipient()},
          "a copy of " + options_.id.text() + " on request " + request.id + ", sealed to " + recipient());
    };
    const review::Occasion occasion{"copied", options_.form == CopyForm::vcon};
    CALLVAULT_TRY_ASSIGN(out.opened, review::open(context_, reviewer, play, occasion));
    CALLVAULT_TRY_ASSIGN(auto secret, crypto::Key::copy_of(found.row.record_secret));
    out.secrets.emplace(options_.id, std::move(secret));
    out.summary.tracks = out.opened->track_names();
    out.summary.incomplete = out.opened->incomplete();
    return {};
  }

  Session& session_;
  context::Context& context_;
  const Person& person_;
  const CopyOptions& options_;
};

// Audio as JSON wants it.
class Base64Sink final : public ByteSink {
 public:
  explicit Base64Sink(ByteSink& out) : out_(out) {}
  Result<void> write(std::span<const std::byte> bytes) override {
    return out_.write(base::as_bytes(text_.take(bytes)));
  }
  Result<void> finish() { return out_.write(base::as_bytes(text_.finish())); }

 private:
  ByteSink& out_;
  disclosure::Base64Url text_;
};

Result<void> write_vcon(Copy& copy, const Vault::Impl& vault, ByteSink& out) {
  const disclosure::Controller controller{vault.config.organisation, vault.config.controller_contact};
  if (copy.tombstone) return out.write(base::as_bytes(disclosure::vcon_stub(*copy.tombstone, controller, copy.at)));
  CALLVAULT_TRY_ASSIGN(const auto tracks, copy.opened->tracks());
  std::vector<disclosure::AudioFile> files;
  for (const auto& t : tracks) {
    files.push_back({t.name, t.bytes, t.duration_s});
    copy.summary.duration_s = std::max(copy.summary.duration_s, t.duration_s);
  }
  CALLVAULT_TRY_ASSIGN(auto steps, journal_steps(*vault.journal, copy.secrets));
  const auto pieces =
      disclosure::vcon_frame(copy.record, files, steps[copy.summary.id].consents, controller, copy.detail, copy.at);
  for (std::size_t i = 0; i < files.size(); ++i) {
    CALLVAULT_TRY(out.write(base::as_bytes(pieces[i])));
    Base64Sink body(out);
    CALLVAULT_TRY(copy.opened->write_track(i, body));
    CALLVAULT_TRY(body.finish());
  }
  return out.write(base::as_bytes(pieces.back()));
}

}  // namespace

Result<CopySummary> copy_recording(Vault& vault, const Person& person, const CopyOptions& options, ByteSink& sink) {
  if (options.reason.size() > kMaxReasonOfCopy) return fail(Errc::usage, "a reason has at most 4,096 bytes");
  CALLVAULT_TRY(disclosure::check_seal_for(options.seal_for));
  CALLVAULT_TRY(settle_if_free(vault.impl()));
  auto copy = [&]() -> Result<Copy> {
    CALLVAULT_TRY_ASSIGN(const auto session, Session::begin(vault.impl(), Access::change, person.name()));
    CALLVAULT_TRY(session->require(person, {Role::reviewer}, "copy"));
    return Copying(*session, person, options).run();
  }();
  if (!copy) return std::move(copy).error();
  CALLVAULT_TRY_ASSIGN(auto age, disclosure::AgeWriter::open(sink, options.seal_for));
  if (options.form == CopyForm::vcon) {
    CALLVAULT_TRY(write_vcon(*copy, vault.impl(), age));
  } else {
    CALLVAULT_TRY_ASSIGN(const PlaySummary played, copy->opened->write(age));
    copy->summary.duration_s = played.to_s;
  }
  CALLVAULT_TRY(age.finish());
  copy->summary.bytes = age.bytes();
  return copy->summary;
}

}  // namespace callvault
