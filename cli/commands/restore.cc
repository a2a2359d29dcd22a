#include <fmt/format.h>

#include "callvault/backup.h"
#include "cli/command.h"
#include "cli/commands/all.h"
#include "cli/progress.h"
#include "cli/text.h"

namespace callvault::cli {
namespace {

class RestoreBackup final : public Command {
 public:
  void declare(Arguments& arguments) override {
    arguments.positional(dir_, "DIR", "the folder of the backup");
    arguments.option(into_, "--into", "VAULT", "the vault's folder, damaged, empty or missing (default: --vault)");
    arguments.flag(check_, "--check", "tell what would be done, change nothing");
    arguments.flag(verify_, "--verify", "read every byte of what the vault still has");
  }

  Result<Exit> run(Session& session) override {
    Output& out = session.out();
    if (dir_.empty()) return fail(Errc::usage, "restore needs the folder of the backup");
    const std::filesystem::path into = into_ ? std::filesystem::path(*into_) : session.vault_dir();
    ProgressBar bar(out, check_ ? "checking" : "restoring");
    const auto report = restore({.from = dir_,
                                 .into = into,
                                 .keeper = session.keeper(),
                                 .check = check_,
                                 .verify = verify_,
                                 .progress = bar.callback()});
    bar.clear();
    if (!report) return report.error();
    if (out.json())
      out.object(JsonObject()
                     .put("check", check_)
                     .put("taken_at", report->taken_at)
                     .put("keys", report->keys_from_backup ? "backup" : "own")
                     .put("journal", report->journal_from_backup ? "backup" : "own")
                     .put("epoch", report->epoch)
                     .put("recordings", report->recordings)
                     .put("kept_files", report->kept_files)
                     .put("restored_files", report->restored_files)
                     .put("restored_bytes", report->restored_bytes)
                     .put("key_files", report->key_files)
                     .put("problems", report->problems));
    else
      print(*report, out);
    for (const auto& problem : report->problems) out.warn("not restored: " + problem);
    return report->problems.empty() ? Exit::done : Exit::partly_done;
  }

 private:
  void print(const RestoreReport& report, Output& out) const {
    out.line(fmt::format("{}backup of {}; keys: {}, epoch {}; journal: {}", check_ ? "would restore, from the " : "",
                         report.taken_at, report.keys_from_backup ? "the backup's" : "the vault's own", report.epoch,
                         report.journal_from_backup ? "the backup's" : "the vault's own"));
    out.line(fmt::format("{}: kept {}, restored {} ({}) and {} of keys and people",
                         count(report.recordings, "recording", "recordings"), count(report.kept_files, "file", "files"),
                         report.restored_files, human_bytes(report.restored_bytes), report.key_files));
    if (report.keys_from_backup)
      out.note("holds, consents, requests and people are as they were then; calls registered since are not among them");
  }

  std::string dir_;
  std::optional<std::string> into_;
  bool check_ = false, verify_ = false;
};

}  // namespace

std::unique_ptr<Command> make_restore() { return std::make_unique<RestoreBackup>(); }

}  // namespace callvault::cli
