#include "callvault/keeper.h"
#include "cli/command.h"
#include "cli/commands/all.h"
#include "cli/text.h"

namespace callvault::cli {
namespace {

class JournalCheckpoint final : public Command {
 public:
  void declare(Arguments&) override {}

  Result<Exit> run(Session& session) override {
    Output& out = session.out();
    CALLVAULT_TRY_ASSIGN(const Vault vault, session.open());
    CALLVAULT_TRY_ASSIGN(const auto report, journal_checkpoint(vault));
    if (out.json()) {
      out.object(JsonObject()
                     .put("origin", report.origin)
                     .put("size", report.size)
                     .put("root", report.root_hex)
                     .put("checkpoint", report.text)
                     .put("public_key", report.public_key));
      return Exit::done;
    }
    for (const auto& line : split(report.text.substr(0, report.text.size() - 1), '\n')) out.line(printable(line));
    return Exit::done;
  }
};

}  // namespace

std::unique_ptr<Command> make_journal_checkpoint() { return std::make_unique<JournalCheckpoint>(); }

}  // namespace callvault::cli
