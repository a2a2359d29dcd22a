#include <fmt/format.h>
#include <unistd.h>

#include "callvault/listen.h"
#include "cli/command.h"
#include "cli/commands/all.h"
#include "cli/error_json.h"
#include "cli/ingest_request.h"
#include "cli/record_view.h"
#include "cli/signals.h"
#include "cli/text.h"

namespace callvault::cli {
namespace {

constexpr std::uint64_t kLongestIdle = std::uint64_t{24} * 3600;

JsonObject started_json(const RecordingId& id) { return JsonObject().put("type", "started").put("id", id.text()); }

JsonObject safe_json(std::chrono::milliseconds safe) {
  return JsonObject().put("type", "safe").put("seconds", static_cast<double>(safe.count()) / 1000);
}

JsonObject sealed_json(const IngestSummary& summary) {
  return JsonObject()
      .put("type", "sealed")
      .put("id", summary.id.text())
      .put_known("started_at", summary.started_at_text)
      .put_known("ended_at", summary.ended_at_text)
      .put("duration_s", summary.duration_s)
      .put("bytes", summary.sealed_bytes)
      .put("flags", flag_words(summary.flags))
      .put("tracks", tracks_json(summary.tracks));
}

class Ingest final : public Command {
 public:
  void declare(Arguments& arguments) override {
    arguments.positional(file_, "FILE", "audio to read (default: standard input)");
    arguments.option(request_["direction"], "--direction", "in|out", "who called whom (required)");
    arguments.option(request_["caller"], "--caller", "N", "the caller's number");
    arguments.option(request_["called"], "--called", "N", "the called number");
    arguments.option(request_["agent"], "--agent", "A", "who spoke for the organisation");
    arguments.option(request_["consent"], "--consent", "C",
                     "implied, granted, pending, refused or unknown (default unknown: stored, not opened)");
    arguments.option(request_["consent_offset"], "--consent-offset", "MM:SS", "where in the call consent was given");
    arguments.option(request_["consent_method"], "--consent-method", "M",
                     "how: a code of a-z, 0-9, _ and -, such as keypress, spoken, web");
    arguments.option(request_["agent_consent"], "--agent-consent", "C", "the agent's consent (default unknown)");
    arguments.option(request_["notice"], "--notice", "V", "version of the privacy notice");
    arguments.option(request_["notice_played"], "--notice-played", "yes|no", "whether the notice played to its end");
    arguments.option(request_["basis"], "--basis", "B",
                     "consent, contract, legal_obligation or legitimate_interest (default consent)");
    arguments.option(request_["started_at"], "--started-at", "T", "when the call started (default now)");
    arguments.option(request_["call_id"], "--call-id", "X", "the telephone system's id of the call");
    arguments.option(request_["class"], "--class", "C", "retention class (default default)");
    arguments.option(meta_file_, "--meta-file", "F",
                     "the same from a file, JSON or SIPREC metadata; options win over it");
    arguments.option(request_["format"], "--format", "F", "auto, wav, s16le, ulaw or alaw (default auto)");
    arguments.option(request_["rate"], "--rate", "HZ", "sample rate of a headerless format (default 8000)");
    arguments.option(request_["channels"], "--channels", "MAP", "mixed, caller, agent, caller,agent or agent,caller");
    arguments.option(request_["bitrate"], "--bitrate", "K", "kbit/s of a track, 6 to 128");
    arguments.option(request_["complexity"], "--complexity", "0-10", "the encoder's effort (default 10)");
    arguments.flag(tells_safe_, "--tell-safe",
                   "with --json: say how much of the call is durable, each time it is more");
    arguments.option(listen_, "--listen", "SOCKET",
                     "record many calls: each connection to SOCKET is one, told by a first line of JSON");
    arguments.option(most_, "--most", "N", "with --listen: calls at once, 1 to 4096 (default 256)");
    arguments.option(idle_, "--idle", "S", "with --listen: a call without audio for S seconds is over (default 300)");
  }

  Result<Exit> run(Session& session) override {
    if (listen_) return listen(session);
    if (tells_safe_ && !session.json()) return fail(Errc::usage, "--tell-safe goes with --json");
    if (most_ || idle_) return fail(Errc::usage, "--most and --idle go with --listen");
    Output& out = session.out();
    CALLVAULT_TRY(read_meta());
    IngestOptions options;
    options.vault = session.vault_dir();
    CALLVAULT_TRY(request_.fill(options));
    if (file_ && *file_ != "-")
      options.file = *file_;
    else if (::isatty(STDIN_FILENO) == 1)
      return fail(Errc::usage, "no audio: name a FILE or pipe audio in");
    options.on_started = [&](const RecordingId& id) {
      started_ = true;
      if (out.json())
        out.object(started_json(id));
      else
        out.line(id.text());
      (void)out.flush();  // an id that nobody reads must not stop the call
    };
    if (tells_safe_)
      options.on_safe = [&](std::chrono::milliseconds safe) {
        out.object(safe_json(safe));
        (void)out.flush();
      };
    options.should_stop = end_of_call;
    signals_end_the_call();
    CALLVAULT_TRY_ASSIGN(const IngestSummary summary, record(options));
    report(summary, out);
    return Exit::done;
  }

 private:
  Result<Exit> listen(Session& session) {
    if (file_ || meta_file_) return fail(Errc::usage, "--listen takes neither FILE nor --meta-file");
    ListenOptions options;
    options.vault = session.vault_dir();
    options.socket = *listen_;
    if (most_) {
      CALLVAULT_TRY_ASSIGN(options.most, parse_number(*most_, "--most", 1, kMostCallsAtOnce));
    }
    if (idle_) {
      CALLVAULT_TRY_ASSIGN(const auto seconds, parse_number(*idle_, "--idle", 1, kLongestIdle));
      options.idle = std::chrono::seconds(seconds);
    }
    options.request = [this](std::string_view line) -> Result<ListenOptions::Request> {
      ListenOptions::Request one;
      IngestRequest request = request_;
      CALLVAULT_TRY_ASSIGN(const auto told, parse_call_line(line));
      request.add(told.values);
      one.tells_safe = tells_safe_ || told.tells_safe;
      CALLVAULT_TRY(request.fill(one.options));
      return one;
    };
    options.safe = [](std::chrono::milliseconds safe) { return safe_json(safe).text(); };
    options.started = [](const RecordingId& id) { return started_json(id).text(); };
    options.sealed = [](const IngestSummary& summary) { return sealed_json(summary).text(); };
    options.failed = [](const Error& error) { return error_json(error, "ingest").text(); };
    Output& out = session.out();
    options.on_ready = [&](const std::string& where) { out.note(fmt::format("recording what comes to {}", where)); };
    options.should_stop = end_of_call;
    signals_end_the_call();
    CALLVAULT_TRY(ingest_listen(options));
    return Exit::done;
  }

  Result<IngestSummary> record(const IngestOptions& options) const {
    auto summary = ingest(options);
    if (summary || started_) return summary;
    Error error = about("--started-at", "a time must be like", std::move(summary).error());
    // Whatever the beginning looked like to the reader of its format: the call ended there.
    if (error.code == Errc::usage && end_of_call())
      return fail(Errc::usage, "the call ended before any audio came: nothing is stored");
    return options.file ? as_input(*options.file, std::move(error)) : error;
  }

  Result<void> read_meta() {
    if (!meta_file_) return {};
    CALLVAULT_TRY_ASSIGN(const auto values, read_meta_file(*meta_file_, request_.values()));
    request_.add(values);
    return {};
  }

  static void report(const IngestSummary& summary, Output& out) {
    if (out.json()) {
      out.object(sealed_json(summary));
      return;
    }
    const auto flags = flag_words(summary.flags);
    out.note(fmt::format("sealed {} in {}, {}{}", human_duration(summary.duration_s),
                         count(summary.tracks.size(), "track", "tracks"), human_bytes(summary.sealed_bytes),
                         flags.empty() ? "" : " (" + join(flags, ", ") + ")"));
  }

  IngestRequest request_;
  bool started_ = false, tells_safe_ = false;
  std::optional<std::string> file_, meta_file_, listen_, most_, idle_;
};

}  // namespace

std::unique_ptr<Command> make_ingest() { return std::make_unique<Ingest>(); }

}  // namespace callvault::cli
