#include <fmt/format.h>

#include "callvault/disclosure.h"
#include "cli/command.h"
#include "cli/commands/all.h"
#include "cli/commands/seal_for.h"
#include "cli/sinks.h"
#include "cli/text.h"

namespace callvault::cli {
namespace {

class Copy final : public Command {
 public:
  void declare(Arguments& arguments) override {
    arguments.positional(id_, "ID", "the recording, or a unique prefix of 6 or more characters");
    arguments.required(options_.request, "--request", "REQUEST", "the granted request: R-2026-0001");
    arguments.option(purpose_, "--purpose", "P",
                     "service_quality, customer_needs, evaluation, complaint, legal_claims or proof_of_interaction "
                     "(required)");
    arguments.option(format_, "--format", "F", "wav, opus or vcon (default wav)");
    seal_for_.declare(arguments);
    arguments.option(reason_, "--reason", "TEXT", "why, in words; sealed in the journal");
  }

  Result<Exit> run(Session& session) override {
    if (!purpose_) return fail(Errc::usage, "--purpose is required");
    CALLVAULT_TRY_ASSIGN(options_.purpose, parse_purpose(*purpose_));
    if (format_) {
      CALLVAULT_TRY_ASSIGN(options_.form, about("--format", parse_copy_form(*format_)));
    }
    CALLVAULT_TRY(seal_for_.check());
    options_.reason = reason_.value_or("");
    NewFileSink sink(seal_for_.output());
    CALLVAULT_TRY(sink.open());
    CALLVAULT_TRY_ASSIGN(Vault vault, session.open());
    CALLVAULT_TRY_ASSIGN(options_.id, vault.resolve(id_));
    CALLVAULT_TRY_ASSIGN(const Person person, session.unlock(vault));
    CALLVAULT_TRY_ASSIGN(options_.seal_for, seal_for_.resolve(session));
    CALLVAULT_TRY_ASSIGN(const CopySummary summary, copy_recording(vault, person, options_, sink));
    CALLVAULT_TRY(sink.finish());
    report(summary, session.out());
    return summary.gone ? Exit::gone : Exit::done;
  }

 private:
  void report(const CopySummary& summary, Output& out) const {
    std::vector<std::string> tracks;
    for (const auto track : summary.tracks) tracks.emplace_back(to_word(track));
    if (out.json()) {
      out.object(JsonObject()
                     .put("id", summary.id.text())
                     .put("request", summary.request)
                     .put("format", to_word(summary.form))
                     .put("tracks", tracks)
                     .put("whole", summary.whole)
                     .put("gone", summary.gone)
                     .put("duration_s", summary.duration_s)
                     .put("bytes", summary.bytes)
                     .put("output", seal_for_.output())
                     .put("incomplete", summary.incomplete));
      return;
    }
    if (summary.gone) return out.line("the recording is gone: the document says that, and names nobody");
    out.line(fmt::format("sealed {} of {}{}, {}", human_duration(summary.duration_s), join(tracks, " and "),
                         summary.whole ? "" : " (the requester's own track: not every party has agreed)",
                         human_bytes(summary.bytes)));
    if (summary.incomplete) out.warn("warning: the recording was interrupted; this is what is sound of it");
  }

  std::string id_;
  CopyOptions options_;
  SealForOptions seal_for_;
  std::optional<std::string> purpose_, format_, reason_;
};

}  // namespace

std::unique_ptr<Command> make_copy() { return std::make_unique<Copy>(); }

}  // namespace callvault::cli
