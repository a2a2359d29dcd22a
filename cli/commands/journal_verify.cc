#include <fmt/format.h>

#include "cli/command.h"
#include "cli/commands/all.h"
#include "cli/text.h"

namespace callvault::cli {
namespace {

class JournalVerify final : public Command {
 public:
  void declare(Arguments&) override {}

  Result<Exit> run(Session& session) override {
    Output& out = session.out();
    CALLVAULT_TRY_ASSIGN(Vault vault, session.open());
    CALLVAULT_TRY_ASSIGN(const JournalReport report, vault.journal_verify());
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
};

}  // namespace

std::unique_ptr<Command> make_journal_verify() { return std::make_unique<JournalVerify>(); }

}  // namespace callvault::cli
