#include <fmt/format.h>

#include "cli/command.h"
#include "cli/commands/all.h"
#include "cli/metrics.h"
#include "cli/progress.h"
#include "cli/sinks.h"
#include "cli/table.h"
#include "cli/text.h"
#include "cli/time.h"

namespace callvault::cli {
namespace {

std::string_view word(Decision decision) {
  switch (decision) {
    case Decision::keep:
      return "keep";
    case Decision::expire:
      return "expire";
    case Decision::refuse:
      return "refuse";
  }
  return "unknown";
}

class Purge final : public Command {
 public:
  void declare(Arguments& arguments) override {
    arguments.flag(dry_run_, "--dry-run", "print the plan with a reason for each, do nothing");
    arguments.option(confirm_, "--confirm", "N", "go on although the clock looks wrong: N is the plan's count");
    arguments.option(metrics_file_, "--metrics-file", "F", "write figures for Prometheus");
  }

  Result<Exit> run(Session& session) override {
    Output& out = session.out();
    PurgeOptions options;
    options.dry_run = dry_run_;
    if (confirm_) {
      CALLVAULT_TRY_ASSIGN(options.confirm, parse_number(*confirm_, "--confirm", 0, UINT64_MAX));
    }
    if (dry_run_ && metrics_file_) return fail(Errc::usage, "--metrics-file does not go with --dry-run");
    if (dry_run_ && confirm_) return fail(Errc::usage, "--confirm does not go with --dry-run");
    ProgressBar bar(out, "purging");
    options.progress = bar.callback();
    CALLVAULT_TRY_ASSIGN(Vault vault, session.open());
    const auto report = vault.purge(options);
    bar.clear();
    if (metrics_file_) {
      const auto written = write_metrics(vault, report ? &*report : nullptr);
      // The purge's own failure matters more than that of its figures.
      if (!written && report) return written.error();
      if (!written) out.warn("warning: " + written.error().message);
    }
    if (!report) return report.error();
    if (report->dry_run) print_plan(report->plan, vault, out);
    print_report(*report, out);
    return report->outstanding > 0 || report->unsettled > 0 || !report->damaged.empty() ? Exit::partly_done
                                                                                        : Exit::done;
  }

 private:
  Result<void> write_metrics(Vault& vault, const PurgeReport* report) const {
    CALLVAULT_TRY_ASSIGN(const StatusReport status, vault.status());
    return replace_file(*metrics_file_, metrics_text(report, status));
  }

  static void print_plan(const std::vector<PlannedItem>& plan, const Vault& vault, Output& out) {
    Table table(out, {"id", "decision", "reason", "due"});
    for (const auto& item : plan) {
      const std::string due = vault.format_time(item.due);
      if (out.json())
        out.object(JsonObject()
                       .put("type", "planned")
                       .put("id", item.id.text())
                       .put("decision", word(item.decision))
                       .put("reason", item.reason)
                       .put("due", due));
      else
        table.add({{item.id.text()},
                   {std::string(word(item.decision)), item.decision == Decision::refuse ? "33" : ""},
                   {item.reason},
                   {civil(due)}});
    }
  }

  static void print_report(const PurgeReport& report, Output& out) {
    if (out.json()) {
      out.object(JsonObject()
                     .put("type", "purge")
                     .put("dry_run", report.dry_run)
                     .put("settled", report.settled)
                     .put("unsettled", report.unsettled)
                     .put("problems", report.problems)
                     .put("damaged", report.damaged)
                     .put("kept", report.kept)
                     .put("expired", report.expired)
                     .put("refused", report.refused)
                     .put("shredded", report.shredded)
                     .put("outstanding", report.outstanding)
                     .put("buckets_rewritten", report.buckets_rewritten)
                     .put("buckets_dropped", report.buckets_dropped)
                     .put("epoch", report.epoch)
                     .put("irrecoverable_ms", report.irrecoverable_ms)
                     .put("cleaned_ms", report.cleaned_ms)
                     .put("mirrors_behind", report.mirrors_behind));
      return;
    }
    if (report.dry_run) {
      out.line(fmt::format("dry run: {} would be shredded, {} kept, {} refused", report.expired, report.kept,
                           report.refused));
      return;
    }
    out.line(fmt::format("shredded {}, kept {}, refused {}, outstanding {}; settled {}", report.shredded, report.kept,
                         report.refused, report.outstanding, report.settled));
    if (report.shredded > 0)
      out.line(fmt::format("irrecoverable after {:.1f} ms, cleaned up after {:.1f} ms; epoch {}",
                           report.irrecoverable_ms, report.cleaned_ms, report.epoch));
    for (const auto& mirror : report.mirrors_behind)
      out.warn("the keeper in " + mirror + " still holds an older root key: bring it back, then run purge again");
    if (report.outstanding > 0 && report.mirrors_behind.empty())
      out.warn(fmt::format("{} not final yet: run purge again", count(report.outstanding, "shred is", "shreds are")));
    if (report.unsettled > report.problems.size())
      out.warn(
          fmt::format("{} in incoming/ wait for room on the disk", count(report.unsettled, "recording", "recordings")));
    for (const auto& problem : report.problems) out.warn("not settled: " + problem);
    for (const auto& damage : report.damaged)
      out.warn(damage + "; nothing of it was changed: bring back the newest keys/ of a backup");
  }

  bool dry_run_ = false;
  std::optional<std::string> confirm_, metrics_file_;
};

}  // namespace

std::unique_ptr<Command> make_purge() { return std::make_unique<Purge>(); }

}  // namespace callvault::cli
