#include <fmt/format.h>

#include "cli/command.h"
#include "cli/commands/all.h"
#include "cli/progress.h"
#include "cli/text.h"

namespace callvault::cli {
namespace {

class Check final : public Command {
 public:
  void declare(Arguments& arguments) override { arguments.flag(deep_, "--deep", "authenticate every sealed byte"); }

  Result<Exit> run(Session& session) override {
    Output& out = session.out();
    ProgressBar bar(out, "checking");
    CALLVAULT_TRY_ASSIGN(Vault vault, session.open());
    CheckOptions options;
    options.deep = deep_;
    options.progress = bar.callback();
    CALLVAULT_TRY_ASSIGN(const CheckReport report, vault.check(options));
    bar.clear();
    const bool sound = report.problems.empty();
    if (out.json()) {
      out.object(JsonObject()
                     .put("ok", sound)
                     .put("deep", deep_)
                     .put("recordings", report.recordings)
                     .put("files", report.files)
                     .put("unsettled", report.unsettled)
                     .put("chunks", report.chunks)
                     .put("problems", report.problems)
                     .put("notes", report.notes));
    } else {
      for (const auto& problem : report.problems) out.line(printable(problem));
      for (const auto& note : report.notes) out.line(printable(note));
      out.line(fmt::format("{}, {}, {} unsettled{}; {}", count(report.recordings, "recording", "recordings"),
                           count(report.files, "file", "files"), report.unsettled,
                           deep_ ? fmt::format(", {} authenticated", count(report.chunks, "chunk", "chunks")) : "",
                           sound ? "no problems" : count(report.problems.size(), "problem", "problems")));
    }
    return sound ? Exit::done : Exit::corrupt;
  }

 private:
  bool deep_ = false;
};

}  // namespace

std::unique_ptr<Command> make_check() { return std::make_unique<Check>(); }

}  // namespace callvault::cli
