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
    if (out.json()) {
      out.object(JsonObject()
                     .put("recordings", report.recordings)
                     .put("tombstones", report.tombstones)
                     .put("problems", report.problems));
    } else {
      for (const auto& problem : report.problems) out.line(printable(problem));
      out.line(fmt::format("rebuilt the catalogue: {}, {}", count(report.recordings, "recording", "recordings"),
                           count(report.tombstones, "tombstone", "tombstones")));
      if (!report.problems.empty())
        out.warn(fmt::format("{} found by date and id only: run 'callvault check'",
                             count(report.problems.size(), "recording is", "recordings are")));
    }
    return report.problems.empty() ? Exit::done : Exit::partly_done;
  }
};

}  // namespace

std::unique_ptr<Command> make_reindex() { return std::make_unique<Reindex>(); }

}  // namespace callvault::cli
