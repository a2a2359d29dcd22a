#include <fmt/format.h>

#include "cli/command.h"
#include "cli/commands/all.h"

namespace callvault::cli {
namespace {

class Recover final : public Command {
 public:
  void declare(Arguments&) override {}

  Result<Exit> run(Session& session) override {
    Output& out = session.out();
    CALLVAULT_TRY_ASSIGN(Vault vault, session.open());
    CALLVAULT_TRY_ASSIGN(const RecoverReport report, vault.recover());
    if (out.json())
      out.object(JsonObject()
                     .put("interrupted_sealed", report.interrupted_sealed)
                     .put("settled", report.settled)
                     .put("rotations_finished", report.rotations_finished)
                     .put("rotations_undone", report.rotations_undone)
                     .put("finalised", report.finalised)
                     .put("refused", report.refused)
                     .put("problems", report.problems)
                     .put("journal_signed", report.journal_signed)
                     .put("journal_rebuilt", report.journal_rebuilt));
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
    for (const auto& problem : report.problems) out.warn("not settled: " + problem);
    if (report.refused > 0) out.warn("those files were left in incoming/; 'callvault inspect FILE' looks at one");
    return report.refused > 0 ? Exit::partly_done : Exit::done;
  }
};

}  // namespace

std::unique_ptr<Command> make_recover() { return std::make_unique<Recover>(); }

}  // namespace callvault::cli
