#include <fmt/format.h>
#include <unistd.h>

#include <map>

#include "cli/command.h"
#include "cli/commands/all.h"
#include "cli/meta_file.h"
#include "cli/record_view.h"
#include "cli/signals.h"
#include "cli/text.h"
#include "cli/time.h"

namespace callvault::cli {
namespace {

constexpr std::uint64_t kLowestRate = 2000, kHighestRate = 384000;  // what the encoder takes

// The words that a call may begin with: consent is withdrawn later, if at all.
Result<Consent> parse_first_consent(std::string_view word, const std::string& whose) {
  auto consent = parse_consent(word);
  if (consent && *consent != Consent::withdrawn) return consent;
  return fail(Errc::usage, whose + " must be one of implied, granted, pending, refused, unknown");
}

Result<InputFormat> parse_format(std::string_view word) {
  if (word == "auto") return InputFormat::automatic;
  if (word == "wav") return InputFormat::wav;
  if (word == "s16le") return InputFormat::s16le;
  if (word == "ulaw") return InputFormat::ulaw;
  if (word == "alaw") return InputFormat::alaw;
  return fail(Errc::usage, "--format must be one of auto, wav, s16le, ulaw, alaw");
}

Result<ChannelMap> parse_channels(std::string_view word) {
  if (word == "mixed") return ChannelMap::mixed;
  if (word == "caller") return ChannelMap::caller;
  if (word == "agent") return ChannelMap::agent;
  if (word == "caller,agent") return ChannelMap::caller_agent;
  if (word == "agent,caller") return ChannelMap::agent_caller;
  return fail(Errc::usage, "--channels must be one of mixed, caller, agent, caller,agent, agent,caller");
}

class Ingest final : public Command {
 public:
  void declare(Arguments& arguments) override {
    arguments.positional(file_, "FILE", "audio to read (default: standard input)");
    arguments.option(meta_["direction"], "--direction", "in|out", "who called whom (required)");
    arguments.option(meta_["caller"], "--caller", "N", "the caller's number");
    arguments.option(meta_["called"], "--called", "N", "the called number");
    arguments.option(meta_["agent"], "--agent", "A", "who spoke for the organisation");
    arguments.option(meta_["consent"], "--consent", "C",
                     "implied, granted, pending, refused or unknown (default unknown: stored, not opened)");
    arguments.option(meta_["consent_offset"], "--consent-offset", "MM:SS", "where in the call consent was given");
    arguments.option(meta_["consent_method"], "--consent-method", "M",
                     "how: a code of a-z, 0-9, _ and -, such as keypress, spoken, web");
    arguments.option(meta_["agent_consent"], "--agent-consent", "C", "the agent's consent (default unknown)");
    arguments.option(meta_["notice"], "--notice", "V", "version of the privacy notice");
    arguments.option(meta_["notice_played"], "--notice-played", "yes|no", "whether the notice played to its end");
    arguments.option(meta_["basis"], "--basis", "B",
                     "consent, contract, legal_obligation or legitimate_interest (default consent)");
    arguments.option(meta_["started_at"], "--started-at", "T", "when the call started (default now)");
    arguments.option(meta_["call_id"], "--call-id", "X", "the telephone system's id of the call");
    arguments.option(meta_["class"], "--class", "C", "retention class (default default)");
    arguments.option(meta_file_, "--meta-file", "F",
                     "the same from a file, JSON or SIPREC metadata; options win over it");
    arguments.option(format_, "--format", "F", "auto, wav, s16le, ulaw or alaw (default auto)");
    arguments.option(rate_, "--rate", "HZ", "sample rate of a headerless format (default 8000)");
    arguments.option(channels_, "--channels", "MAP", "mixed, caller, agent, caller,agent or agent,caller");
    arguments.option(bitrate_, "--bitrate", "K", "kbit/s of a track, 6 to 128");
    arguments.option(complexity_, "--complexity", "0-10", "the encoder's effort (default 10)");
  }

  Result<Exit> run(Session& session) override {
    Output& out = session.out();
    CALLVAULT_TRY(read_meta());
    IngestOptions options;
    options.vault = session.vault_dir();
    CALLVAULT_TRY(fill(options));
    if (file_ && *file_ != "-")
      options.file = *file_;
    else if (::isatty(STDIN_FILENO) == 1)
      return fail(Errc::usage, "no audio: name a FILE or pipe audio in");
    options.on_started = [&](const RecordingId& id) {
      started_ = true;
      if (out.json())
        out.object(JsonObject().put("type", "started").put("id", id.text()));
      else
        out.line(id.text());
      (void)out.flush();  // an id that nobody reads must not stop the call
    };
    options.should_stop = end_of_call;
    signals_end_the_call();
    CALLVAULT_TRY_ASSIGN(const IngestSummary summary, record(options));
    report(summary, out);
    return Exit::done;
  }

 private:
  Result<IngestSummary> record(const IngestOptions& options) const {
    auto summary = ingest(options);
    if (summary || started_) return summary;
    Error error = about("--started-at", "a time must be like", std::move(summary).error());
    // Whatever the beginning looked like to the reader of its format: the call ended there.
    if (error.code == Errc::usage && end_of_call())
      return fail(Errc::usage, "the call ended before any audio came: nothing is stored");
    return options.file ? as_input(*options.file, std::move(error)) : error;
  }

  // Puts the file's values where no option was given.
  Result<void> read_meta() {
    if (!meta_file_) return {};
    CALLVAULT_TRY_ASSIGN(const auto values, read_meta_file(*meta_file_, meta_));
    for (const auto& [name, value] : values)
      if (auto& option = meta_[name]; !option) option = value;
    return {};
  }

  std::string text(const std::string& name) { return meta_[name].value_or(""); }

  Result<void> fill(IngestOptions& options) {
    if (!meta_["direction"]) return fail(Errc::usage, "--direction in or out is required");
    CALLVAULT_TRY_ASSIGN(options.direction, parse_direction(text("direction")));
    if (meta_["consent"]) {
      CALLVAULT_TRY_ASSIGN(options.consent, parse_first_consent(text("consent"), "consent"));
    }
    if (meta_["agent_consent"]) {
      CALLVAULT_TRY_ASSIGN(options.agent_consent, parse_first_consent(text("agent_consent"), "the agent's consent"));
    }
    if (meta_["consent_offset"]) {
      CALLVAULT_TRY_ASSIGN(options.consent_offset, parse_position(text("consent_offset"), "--consent-offset"));
    }
    if (meta_["consent_method"] && text("consent_method").empty())
      return fail(Errc::usage, "--consent-method names no method");
    options.consent_method = text("consent_method");
    if (meta_["basis"]) {
      CALLVAULT_TRY_ASSIGN(options.basis, parse_basis(text("basis")));
    }
    if (meta_["notice_played"]) {
      CALLVAULT_TRY_ASSIGN(options.notice_played, parse_yes_no(text("notice_played"), "--notice-played"));
    }
    if (meta_["class"]) options.retention_class = text("class");
    options.caller = text("caller");
    options.called = text("called");
    options.agent = text("agent");
    options.call_id = text("call_id");
    options.notice = text("notice");
    options.started_at_text = text("started_at");
    return fill_audio(options);
  }

  Result<void> fill_audio(IngestOptions& options) const {
    if (format_) {
      CALLVAULT_TRY_ASSIGN(options.audio.format, parse_format(*format_));
    }
    if (channels_) {
      CALLVAULT_TRY_ASSIGN(options.audio.channels, parse_channels(*channels_));
    }
    if (rate_) {
      CALLVAULT_TRY_ASSIGN(const auto rate, parse_number(*rate_, "--rate", kLowestRate, kHighestRate));
      options.audio.rate_hz = static_cast<std::uint32_t>(rate);
    }
    if (bitrate_) {
      CALLVAULT_TRY_ASSIGN(const auto kilobits, parse_number(*bitrate_, "--bitrate (in kbit/s)", 6, 128));
      options.encoder.bitrate = static_cast<std::uint32_t>(kilobits * 1000);
    }
    if (complexity_) {
      CALLVAULT_TRY_ASSIGN(const auto complexity, parse_number(*complexity_, "--complexity", 0, 10));
      options.encoder.complexity = static_cast<int>(complexity);
    }
    return {};
  }

  static void report(const IngestSummary& summary, Output& out) {
    if (out.json()) {
      out.object(JsonObject()
                     .put("type", "sealed")
                     .put("id", summary.id.text())
                     .put_known("started_at", summary.started_at_text)
                     .put_known("ended_at", summary.ended_at_text)
                     .put("duration_s", summary.duration_s)
                     .put("bytes", summary.sealed_bytes)
                     .put("flags", flag_words(summary.flags))
                     .put("tracks", tracks_json(summary.tracks)));
      return;
    }
    const auto flags = flag_words(summary.flags);
    out.note(fmt::format("sealed {} in {}, {}{}", human_duration(summary.duration_s),
                         count(summary.tracks.size(), "track", "tracks"), human_bytes(summary.sealed_bytes),
                         flags.empty() ? "" : " (" + join(flags, ", ") + ")"));
  }

  std::map<std::string, std::optional<std::string>> meta_;
  bool started_ = false;
  std::optional<std::string> file_, meta_file_, format_, rate_, channels_, bitrate_, complexity_;
};

}  // namespace

std::unique_ptr<Command> make_ingest() { return std::make_unique<Ingest>(); }

}  // namespace callvault::cli
