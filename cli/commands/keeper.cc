// The commands of the group `keeper`.
#include "callvault/keeper.h"

#include <fmt/format.h>

#include "cli/command.h"
#include "cli/commands/all.h"
#include "cli/record_view.h"
#include "cli/text.h"

namespace callvault::cli {
namespace {

class ShowKeeper final : public Command {
 public:
  void declare(Arguments&) override {}

  Result<Exit> run(Session& session) override {
    Output& out = session.out();
    CALLVAULT_TRY_ASSIGN(Vault vault, session.open());
    CALLVAULT_TRY_ASSIGN(const KeeperStatus status, keeper_status(vault));
    std::vector<std::string> epochs;
    for (const auto epoch : status.epochs) epochs.push_back(std::to_string(epoch));
    const std::string roots = epochs.empty() ? "none" : "epoch " + join(epochs, " and ");
    if (out.json()) {
      out.object(JsonObject()
                     .put("kind", status.kind)
                     .put("path", status.path)
                     .put("medium", status.medium)
                     .put("sound", status.sound)
                     .put_known("reason", status.reason)
                     .put("claim", status.claim)
                     .put("roots", epochs)
                     .put("unfinished", status.unfinished)
                     .put("vault_epoch", status.vault)
                     .put_known("problem", status.problem)
                     .put("separated", status.separated)
                     .put("socket", status.socket));
    } else {
      print_field(out, "keeper", printable(fmt::format("{} in {}", status.kind, status.path)));
      print_field(out, "medium", status.medium);
      print_field(out, "place", status.sound ? "sound" : "not shown to forget: " + printable(status.reason));
      print_field(out, "claim", status.claim);
      print_field(out, "roots", roots);
      print_field(out, "vault", status.vault ? fmt::format("epoch {}", *status.vault) : "does not open");
    }
    if (!out.json()) print_field(out, "separated", status.separated ? "yes, by " + printable(status.socket) : "no");
    if (!status.problem.empty()) out.warn(status.problem);
    if (status.unfinished) out.warn("a wipe was cut short; 'callvault recover' finishes it");
    return status.problem.empty() && !status.unfinished ? Exit::done : Exit::partly_done;
  }
};

class RotateKeeper final : public Command {
 public:
  void declare(Arguments&) override {}

  Result<Exit> run(Session& session) override {
    Output& out = session.out();
    CALLVAULT_TRY_ASSIGN(Vault vault, session.open());
    CALLVAULT_TRY_ASSIGN(const KeeperRotation done, keeper_rotate(vault));
    if (out.json())
      out.object(JsonObject()
                     .put("epoch", done.epoch)
                     .put("intake_retired", done.intake_retired)
                     .put("irrecoverable_ms", done.irrecoverable_ms));
    else
      out.line(
          fmt::format("epoch {}: the old root key is forgotten after {:.1f} ms", done.epoch, done.irrecoverable_ms));
    out.note("backups from before open nothing by themselves any more: make one now");
    return Exit::done;
  }
};

}  // namespace

std::unique_ptr<Command> make_keeper_status() { return std::make_unique<ShowKeeper>(); }
std::unique_ptr<Command> make_keeper_rotate() { return std::make_unique<RotateKeeper>(); }

}  // namespace callvault::cli
