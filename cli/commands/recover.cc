#include <fmt/format.h>

#include "cli/command.h"
#include "cli/commands/all.h"
#include "cli/text.h"

namespace callvault::cli {
namespace {

class Recover final : public Command {
 public:
  void declare(Arguments& arguments) override {
    arguments.option(give_up_, "--give-up", "REGISTER", "opt-out or aliases: empty it, since it is damaged");
    arguments.option(complete_, "--complete", "REGISTER", "opt-out: whoever had objected stands in it again");
  }

  Result<Exit> run(Session& session) override {
    Output& out = session.out();
    CALLVAULT_TRY_ASSIGN(Vault vault, session.open());
    CALLVAULT_TRY_ASSIGN(const RecoverReport report, vault.recover({give_up_.value_or(""), complete_.value_or("")}));
    if (out.json())
      out.object(JsonObject()
                     .put("interrupted_sealed", report.interrupted_sealed)
                     .put("settled", report.settled)
                     .put("rotations_finished", report.rotations_finished)
                     .put("rotations_undone", report.rotations_undone)
                     .put("refused", report.refused)
                     .put("problems", report.problems)
                     .put("journal_signed", report.journal_signed)
                     .put("journal_rebuilt", report.journal_rebuilt)
                     .put_known("given_up", report.given_up)
                     .put("finalised", report.finalised));
    else
      out.line(
          fmt::format("interrupted calls made whole {}, settled {}, rotations finished {}, undone {}, unreadable {}",
                      report.interrupted_sealed, report.settled, report.rotations_finished, report.rotations_undone,
                      report.refused));
    if (report.finalised > 0)
      out.note(fmt::format("{} now: a mirror is back", count(report.finalised, "shred is final", "shreds are final")));
    if (report.journal_signed)
      out.warn(
          "the journal had no genuine checkpoint; its entries were verified and signed anew, and the journal says so");
    if (report.journal_rebuilt) out.note("the journal's offsets and hashes were made again from its entries");
    if (report.given_up == "opt-out")
      out.warn(
          "THE OPT-OUTS ARE LOST. Nobody may be recorded until they are entered again: 'callvault opt-out add NUMBER' "
          "for each, from the requests; then 'callvault recover --complete opt-out'");
    if (report.given_up == "aliases")
      out.warn(
          "THE ALIASES ARE LOST. Enter them again with 'callvault alias add': until then what a person asks for is "
          "done "
          "for the one number they name; opt-outs stand for each number as they were");
    for (const auto& problem : report.problems) out.warn("not settled: " + problem);
    if (report.refused > 0) out.warn("those files were left in incoming/; 'callvault inspect FILE' looks at one");
    return report.refused > 0 ? Exit::partly_done : Exit::done;
  }

 private:
  std::optional<std::string> give_up_, complete_;
};

}  // namespace

std::unique_ptr<Command> make_recover() { return std::make_unique<Recover>(); }

}  // namespace callvault::cli
