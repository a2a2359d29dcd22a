#include <fmt/format.h>

#include "cli/command.h"
#include "cli/commands/all.h"
#include "cli/text.h"

namespace callvault::cli {
namespace {

class Reindex final : public Command {
 public:
  void declare(Arguments&) override {}

  Result<Exit> run(Session& session) override {
    Output& out = session.out();
    CALLVAULT_TRY_ASSIGN(Vault vault, session.open());
    CALLVAULT_TRY_ASSIGN(const ReindexReport report, vault.reindex());
    if (out.json())
      out.object(JsonObject().put("recordings", report.recordings).put("tombstones", report.tombstones));
    else
      out.line(fmt::format("rebuilt the catalogue: {}, {}", count(report.recordings, "recording", "recordings"),
                           count(report.tombstones, "tombstone", "tombstones")));
    return Exit::done;
  }
};

}  // namespace

std::unique_ptr<Command> make_reindex() { return std::make_unique<Reindex>(); }

}  // namespace callvault::cli
