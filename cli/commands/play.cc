#include <fmt/format.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/commands/all.h"
#include "cli/progress.h"
#include "cli/sinks.h"
#include "cli/text.h"
#include "cli/time.h"

namespace callvault::cli {
namespace {

class Play final : public Command {
 public:
  void declare(Arguments& arguments) override {
    arguments.positional(id_, "ID", "the recording, or a unique prefix of 6 or more characters");
    arguments.option(track_, "--track", "T", "caller, agent or both (default both)");
    arguments.option(from_, "--from", "MM:SS", "start here");
    arguments.option(to_, "--to", "MM:SS", "stop here");
    arguments.option(output_, "-o,--output", "FILE|-", "write a copy to FILE, or listen through standard output");
    arguments.flag(force_, "--force", "replace FILE if it exists");
    arguments.option(format_, "--format", "F", "wav or opus (default wav)");
    arguments.option(purpose_, "--purpose", "P",
                     "service_quality, customer_needs, evaluation, complaint, legal_claims or proof_of_interaction "
                     "(required)");
    arguments.option(reason_, "--reason", "TEXT", "why, in words; sealed in the journal");
  }

  Result<Exit> run(Session& session) override {
    PlayOptions options;
    if (!output_ || *output_ == "-") session.out().give_stdout_to_audio();  // so do errors of the options
    CALLVAULT_TRY(fill(options));
    if (options.exported) return play_to_file(session, options);
    if (!output_ && ::isatty(STDOUT_FILENO) == 1)
      return fail(Errc::usage, "standard output is a terminal: name a file with -o, or pipe into a player");
    StdoutSink sink;
    CALLVAULT_TRY_ASSIGN(const PlaySummary summary, play(session, options, sink));
    report(summary, session.out());
    return Exit::done;
  }

 private:
  Result<void> fill(PlayOptions& options) const {
    if (!purpose_) return fail(Errc::usage, "--purpose is required");
    CALLVAULT_TRY_ASSIGN(options.purpose, parse_purpose(*purpose_));
    const std::string track = track_.value_or("both");
    if (track == "caller")
      options.track = TrackChoice::caller;
    else if (track == "agent")
      options.track = TrackChoice::agent;
    else if (track != "both")
      return fail(Errc::usage, "--track must be one of caller, agent, both");
    const std::string format = format_.value_or("wav");
    if (format == "opus")
      options.format = PlayFormat::opus;
    else if (format != "wav")
      return fail(Errc::usage, "--format must be wav or opus");
    if (from_) {
      CALLVAULT_TRY_ASSIGN(options.from, parse_position(*from_, "--from"));
    }
    if (to_) {
      CALLVAULT_TRY_ASSIGN(options.to, parse_position(*to_, "--to"));
    }
    if (options.from && options.to && *options.from >= *options.to)
      return fail(Errc::usage, "--from must lie before --to");
    if (output_ && output_->empty()) return fail(Errc::usage, "-o names no file");
    options.reason = reason_.value_or("");
    options.exported = output_ && *output_ != "-";
    if (force_ && !options.exported) return fail(Errc::usage, "--force goes with -o FILE");
    return {};
  }

  Result<PlaySummary> play(Session& session, PlayOptions& options, ByteSink& sink) const {
    CALLVAULT_TRY_ASSIGN(Vault vault, session.open());
    CALLVAULT_TRY_ASSIGN(options.id, vault.resolve(id_));
    CALLVAULT_TRY_ASSIGN(const Person person, session.unlock(vault));
    return vault.play(person, options, sink);
  }

  Result<Exit> play_to_file(Session& session, PlayOptions& options) const {
    ProgressBar bar(session.out(), "writing");
    FileSink sink(*output_, force_, [&](std::uint64_t bytes) { bar.bytes(bytes); });
    CALLVAULT_TRY(sink.check());
    CALLVAULT_TRY_ASSIGN(const PlaySummary summary, play(session, options, sink));
    CALLVAULT_TRY(sink.finish());
    bar.clear();
    if (options.format == PlayFormat::wav && (output_->ends_with(".opus") || output_->ends_with(".ogg")))
      session.out().note(fmt::format("{} is wav all the same; --format opus gives Ogg Opus", *output_));
    report(summary, session.out());
    return Exit::done;
  }

  void report(const PlaySummary& summary, Output& out) const {
    std::vector<std::string> tracks;
    for (const auto track : summary.tracks) tracks.emplace_back(to_word(track));
    if (out.json()) {
      const bool to_file = output_ && *output_ != "-";
      out.object(JsonObject()
                     .put("id", summary.id.text())
                     .put("tracks", tracks)
                     .put("sample_rate", summary.sample_rate)
                     .put("from_s", summary.from_s)
                     .put("to_s", summary.to_s)
                     .put("bytes", summary.bytes)
                     .put("output", to_file ? output_ : std::nullopt)
                     .put("incomplete", summary.incomplete));
      return;
    }
    out.note(fmt::format("opened {} of {}, {}", human_duration(summary.to_s - summary.from_s), join(tracks, " and "),
                         human_bytes(summary.bytes)));
    if (summary.incomplete) out.warn("warning: the recording was interrupted; this is what is sound of it");
  }

  std::string id_;
  std::optional<std::string> track_, from_, to_, output_, format_, purpose_, reason_;
  bool force_ = false;
};

}  // namespace

std::unique_ptr<Command> make_play() { return std::make_unique<Play>(); }

}  // namespace callvault::cli
