#include "callvault/backup.h"

#include <fmt/format.h>

#include "cli/command.h"
#include "cli/commands/all.h"
#include "cli/progress.h"
#include "cli/text.h"

namespace callvault::cli {
namespace {

class MakeBackup final : public Command {
 public:
  void declare(Arguments& arguments) override {
    arguments.positional(dir_, "DIR", "the folder of the backup: empty, or of the backup before");
    arguments.flag(verify_, "--verify", "compare every byte of what is there, too");
  }

  Result<Exit> run(Session& session) override {
    Output& out = session.out();
    if (dir_.empty()) return fail(Errc::usage, "backup needs the folder to make it in");
    CALLVAULT_TRY_ASSIGN(Vault vault, session.open());
    ProgressBar bar(out, "backing up");
    const auto report = backup(vault, {.dir = dir_, .verify = verify_, .progress = bar.callback()});
    bar.clear();
    if (!report) return report.error();
    if (out.json())
      out.object(JsonObject()
                     .put("epoch", report->epoch)
                     .put("journal_size", report->journal_size)
                     .put("files", report->files)
                     .put("copied_files", report->copied_files)
                     .put("copied_bytes", report->copied_bytes)
                     .put("removed_files", report->removed_files)
                     .put("in_progress", report->in_progress)
                     .put("unsettled", report->unsettled)
                     .put("problems", report->problems));
    else
      out.line(fmt::format("copied {} ({}), removed {}; the backup holds {}; epoch {}",
                           count(report->copied_files, "file", "files"), human_bytes(report->copied_bytes),
                           report->removed_files, count(report->files, "sealed file", "sealed files"), report->epoch));
    if (report->in_progress > 0)
      out.note(
          fmt::format("{} not in it yet: still being recorded", count(report->in_progress, "file is", "files are")));
    for (const auto& problem : report->problems) out.warn("damage in the vault: " + problem);
    return report->problems.empty() ? Exit::done : Exit::partly_done;
  }

 private:
  std::string dir_;
  bool verify_ = false;
};

}  // namespace

std::unique_ptr<Command> make_backup() { return std::make_unique<MakeBackup>(); }

}  // namespace callvault::cli
