// The commands of the group `keeper`.
#include "callvault/keeper.h"

#include <fmt/format.h>

#include <algorithm>

#include "cli/command.h"
#include "cli/commands/all.h"
#include "cli/record_view.h"
#include "cli/text.h"

namespace callvault::cli {
namespace {

std::vector<JsonObject> mirrors_json(const std::vector<MirrorStatus>& mirrors) {
  std::vector<JsonObject> out;
  for (const auto& m : mirrors) {
    JsonObject one;
    one.put("path", m.path)
        .put("first", m.first)
        .put("standing", m.standing)
        .put("epoch", m.epoch)
        .put("waiting", m.waiting)
        .put_known("kind", m.kind)
        .put_known("medium", m.medium)
        .put("sound", m.sound)
        .put_known("problem", m.problem);
    out.push_back(std::move(one));
  }
  return out;
}

std::string line_of(const MirrorStatus& m) {
  std::string text = fmt::format("{}, {}, epoch {}", m.path, m.standing, m.epoch);
  if (m.waiting > 0) text += fmt::format(", {} not final without it", count(m.waiting, "shred", "shreds"));
  return text;
}

class ShowKeeper final : public Command {
 public:
  void declare(Arguments&) override {}

  Result<Exit> run(Session& session) override {
    Output& out = session.out();
    CALLVAULT_TRY_ASSIGN(Vault vault, session.open());
    CALLVAULT_TRY_ASSIGN(const KeeperStatus status, keeper_status(vault));
    const bool mirrors_fine =
        std::ranges::all_of(status.mirrors, [](const auto& m) { return m.standing == "current"; });
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
                     .put("socket", status.socket)
                     .put("keepers", mirrors_json(status.mirrors)));
    } else {
      print_field(out, "keeper", printable(fmt::format("{} in {}", status.kind, status.path)));
      print_field(out, "medium", status.medium);
      print_field(out, "place", status.sound ? "sound" : "not shown to forget: " + printable(status.reason));
      print_field(out, "claim", status.claim);
      print_field(out, "roots", roots);
      print_field(out, "vault", status.vault ? fmt::format("epoch {}", *status.vault) : "does not open");
    }
    if (!out.json()) print_field(out, "separated", status.separated ? "yes, by " + printable(status.socket) : "no");
    for (const auto& mirror : status.mirrors) {
      if (!out.json()) print_field(out, mirror.first ? "first" : "mirror", printable(line_of(mirror)));
      if (!mirror.problem.empty() && !mirror.first) out.warn(mirror.problem);
    }
    if (!status.problem.empty()) out.warn(status.problem);
    if (status.unfinished) out.warn("a wipe was cut short; 'callvault recover' finishes it");
    return status.problem.empty() && !status.unfinished && mirrors_fine ? Exit::done : Exit::partly_done;
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
                     .put("irrecoverable_ms", done.irrecoverable_ms)
                     .put("mirrors_behind", done.mirrors_behind));
    else if (done.mirrors_behind.empty())
      out.line(
          fmt::format("epoch {}: the old root key is forgotten after {:.1f} ms", done.epoch, done.irrecoverable_ms));
    else
      out.line(fmt::format("epoch {}: the old root key is not forgotten everywhere", done.epoch));
    for (const auto& mirror : done.mirrors_behind)
      out.warn("the keeper in " + mirror +
               " still holds the old root key; bring it back, then run 'callvault recover'");
    out.note("backups from before open nothing by themselves any more: make one now");
    return done.mirrors_behind.empty() ? Exit::done : Exit::partly_done;
  }
};

class MirrorKeeper final : public Command {
 public:
  void declare(Arguments& arguments) override {
    arguments.positional(options_.place, "PLACE", "the mirror's folder, on another disk, or tpm:HANDLE");
    arguments.flag(options_.unsafe, "--unsafe-keeper", "accept a mirror's place that may not forget");
    arguments.flag(options_.remove, "--remove", "wipe this mirror, and go on without it");
    arguments.flag(options_.destroyed, "--destroyed", "with --remove: it is destroyed and cannot be wiped");
  }

  Result<Exit> run(Session& session) override {
    Output& out = session.out();
    if (options_.destroyed && !options_.remove) return fail(Errc::usage, "--destroyed goes with --remove");
    CALLVAULT_TRY_ASSIGN(Vault vault, session.open());
    CALLVAULT_TRY_ASSIGN(const MirrorReport done, keeper_mirror(vault, options_));
    if (out.json())
      out.object(JsonObject()
                     .put("path", done.path)
                     .put("removed", options_.remove)
                     .put("epoch", done.epoch)
                     .put("finalised", done.finalised));
    else
      out.line(fmt::format("{} {}: epoch {}", options_.remove ? "removed" : "a mirror in", done.path, done.epoch));
    if (options_.remove && done.finalised > 0)
      out.note(fmt::format("{} now, on your word", count(done.finalised, "shred is final", "shreds are final")));
    return Exit::done;
  }

 private:
  MirrorOptions options_;
};

}  // namespace

std::unique_ptr<Command> make_keeper_status() { return std::make_unique<ShowKeeper>(); }
std::unique_ptr<Command> make_keeper_mirror() { return std::make_unique<MirrorKeeper>(); }
std::unique_ptr<Command> make_keeper_rotate() { return std::make_unique<RotateKeeper>(); }

}  // namespace callvault::cli
