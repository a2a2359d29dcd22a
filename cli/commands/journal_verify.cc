#include <fmt/format.h>

#include "cli/command.h"
#include "cli/commands/all.h"
#include "cli/input_file.h"
#include "cli/text.h"

namespace callvault::cli {
namespace {

class JournalVerify final : public Command {
 public:
  void declare(Arguments& arguments) override {
    arguments.option(against_, "--against", "FILE", "a checkpoint that was kept: the journal must begin with it");
    arguments.option(key_, "--key", "FILE", "the journal's public key, got from somebody who can be trusted");
    arguments.option(journal_, "--journal", "DIR", "verify this copy of a journal; needs --key and no vault");
    arguments.option(proof_, "--proof", "FILE", "verify what 'journal prove' printed; needs --key and no vault");
  }

  Result<Exit> run(Session& session) override {
    if (journal_ && proof_) return fail(Errc::usage, "name either --journal or --proof");
    if ((journal_ || proof_) != key_.has_value())
      return fail(Errc::usage, "--key goes with --journal or --proof, and they with it");
    std::string against, key;
    if (against_) {
      CALLVAULT_TRY_ASSIGN(against, read_input_file(*against_));
      if (against.empty()) return fail(Errc::corrupt, "the checkpoint to compare with is empty");
    }
    if (key_) {
      CALLVAULT_TRY_ASSIGN(key, read_input_file(*key_));
    }
    if (proof_) {
      CALLVAULT_TRY_ASSIGN(const std::string proof, read_input_file(*proof_));
      CALLVAULT_TRY_ASSIGN(const auto report, journal_verify_proof(proof, key, against));
      return tell(report, session.out());
    }
    if (journal_) {
      CALLVAULT_TRY_ASSIGN(const auto report, journal_verify_copy(*journal_, key, against));
      return tell(report, session.out());
    }
    CALLVAULT_TRY_ASSIGN(Vault vault, session.open());
    CALLVAULT_TRY_ASSIGN(const JournalReport report, vault.journal_verify(against));
    return tell(report, session.out());
  }

 private:
  static Exit tell(const JournalReport& report, Output& out) {
    const bool sound = report.checkpoint_ok && report.problems.empty();
    if (out.json()) {
      out.object(JsonObject()
                     .put("ok", sound)
                     .put("size", report.size)
                     .put("root", report.root_hex)
                     .put("checkpoint_ok", report.checkpoint_ok)
                     .put("problems", report.problems));
    } else {
      for (const auto& problem : report.problems) out.line(printable(problem));
      out.line(fmt::format("{}, root {}, checkpoint {}; {}", count(report.size, "entry", "entries"), report.root_hex,
                           report.checkpoint_ok ? "good" : "BAD",
                           sound ? "the journal is whole" : "the journal is NOT whole"));
    }
    return sound ? Exit::done : Exit::corrupt;
  }

  static Exit tell(const LogProofReport& report, Output& out) {
    if (out.json()) {
      out.object(JsonObject()
                     .put("ok", true)
                     .put("origin", report.origin)
                     .put("size", report.size)
                     .put("root", report.root_hex)
                     .put("index", report.index)
                     .put_known("entry", report.entry)
                     .put("since", report.since));
      return Exit::done;
    }
    if (report.index) {
      out.line(printable(report.entry));
      out.line(fmt::format("is entry {} of the {} of {}", *report.index, count(report.size, "entry", "entries"),
                           printable(report.origin)));
    } else {
      out.line(fmt::format("the {} of {} begin with the {} of the older checkpoint",
                           count(report.size, "entry", "entries"), printable(report.origin), report.since.value_or(0)));
    }
    return Exit::done;
  }

  std::optional<std::string> against_, key_, journal_, proof_;
};

}  // namespace

std::unique_ptr<Command> make_journal_verify() { return std::make_unique<JournalVerify>(); }

}  // namespace callvault::cli
