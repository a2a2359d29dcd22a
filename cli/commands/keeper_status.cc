#include <fmt/format.h>

#include "callvault/keeper.h"
#include "cli/command.h"
#include "cli/commands/all.h"
#include "cli/record_view.h"

namespace callvault::cli {
namespace {

class KeeperStatus final : public Command {
 public:
  void declare(Arguments&) override {}

  Result<Exit> run(Session& session) override {
    Output& out = session.out();
    CALLVAULT_TRY_ASSIGN(Vault vault, session.open());
    CALLVAULT_TRY_ASSIGN(const KeeperReport report, keeper_status(vault));
    if (out.json()) {
      out.object(JsonObject()
                     .put("epoch", report.epoch)
                     .put("kind", report.kind)
                     .put("place", report.place)
                     .put("medium", report.medium)
                     .put("sound", report.sound)
                     .put_known("reason", report.reason)
                     .put("claim", report.claim)
                     .put("unfinished", report.unfinished)
                     .put("separated", report.separated)
                     .put("socket", report.socket));
      return Exit::done;
    }
    print_field(out, "epoch", std::to_string(report.epoch));
    print_field(out, "place", fmt::format("{} ({}, medium {})", report.place, report.kind, report.medium));
    print_field(out, "forgets", report.sound ? report.claim : "not shown: " + report.reason);
    print_field(out, "rotation", report.unfinished ? "not finished; the next change finishes it" : "none under way");
    print_field(out, "separated", report.separated ? "yes, by " + report.socket : "no");
    return Exit::done;
  }
};

}  // namespace

std::unique_ptr<Command> make_keeper_status() { return std::make_unique<KeeperStatus>(); }

}  // namespace callvault::cli
