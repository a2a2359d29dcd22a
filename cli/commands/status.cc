#include <fmt/format.h>

#include "cli/command.h"
#include "cli/commands/all.h"
#include "cli/record_view.h"
#include "cli/text.h"

namespace callvault::cli {
namespace {

class Status final : public Command {
 public:
  void declare(Arguments&) override {}

  Result<Exit> run(Session& session) override {
    Output& out = session.out();
    CALLVAULT_TRY_ASSIGN(Vault vault, session.open());
    CALLVAULT_TRY_ASSIGN(const StatusReport report, vault.status());
    const auto when = [&](const std::optional<Time>& time) {
      return time ? std::optional(vault.format_time(*time)) : std::nullopt;
    };
    if (out.json())
      out.object(JsonObject()
                     .put_known("organisation", report.organisation)
                     .put("time_zone", report.time_zone)
                     .put("recordings", report.recordings)
                     .put("held", report.held)
                     .put("in_progress", report.in_progress)
                     .put("unsettled", report.unsettled)
                     .put("overdue", report.overdue)
                     .put("outstanding", report.outstanding)
                     .put("deferred", report.deferred)
                     .put("shredded", report.shredded)
                     .put("requests_open", report.requests_open)
                     .put("requests_overdue", report.requests_overdue)
                     .put("breaches_open", report.breaches_open)
                     .put("breaches_overdue", report.breaches_overdue)
                     .put("opted_out", report.opted_out)
                     .put("damaged", report.damaged)
                     .put_known("measures_review", report.measures_review)
                     .put("measures_review_due", report.measures_review_due)
                     .put("next_expiry", when(report.next_expiry))
                     .put("last_purge", when(report.last_purge))
                     .put("epoch", report.epoch)
                     .put("buckets", report.buckets)
                     .put("journal_size", report.journal_size)
                     .put("mirrors_behind", report.mirrors_behind));
    else
      print(report, when(report.next_expiry), when(report.last_purge), out);
    if (!report.damaged.empty()) return Exit::corrupt;
    const auto late = report.overdue + report.outstanding + report.requests_overdue.value_or(0) +
                      report.breaches_overdue.value_or(0) + report.mirrors_behind.size();
    return late > 0 ? Exit::overdue : Exit::done;
  }

 private:
  static void print(const StatusReport& report, const std::optional<std::string>& next_expiry,
                    const std::optional<std::string>& last_purge, Output& out) {
    print_field(out, "organisation", report.organisation);
    print_field(out, "time zone", report.time_zone);
    print_field(out, "recordings", fmt::format("{} ({} held)", report.recordings, report.held));
    print_field(out, "in progress", std::to_string(report.in_progress));
    print_field(out, "unsettled", std::to_string(report.unsettled));
    print_field(out, "overdue", std::to_string(report.overdue));
    print_field(out, "outstanding", std::to_string(report.outstanding));
    print_field(out, "shredded", std::to_string(report.shredded));
    const auto of_register = [](const auto& open, const auto& overdue) {
      return open ? fmt::format("{} open, {} overdue", *open, *overdue) : std::string("damaged");
    };
    print_field(out, "requests", of_register(report.requests_open, report.requests_overdue));
    print_field(out, "breaches", of_register(report.breaches_open, report.breaches_overdue));
    print_field(out, "opted out", report.opted_out ? std::to_string(*report.opted_out) : "damaged");
    print_field(out, "next expiry", next_expiry.value_or("none"));
    print_field(out, "last purge", last_purge.value_or("never"));
    print_field(out, "keys", fmt::format("epoch {}, {} buckets", report.epoch, report.buckets));
    print_field(out, "journal", fmt::format("{} entries", report.journal_size));
    if (!report.measures_review.empty()) print_field(out, "measures", "to be reviewed on " + report.measures_review);
    if (report.measures_review_due)
      out.warn("the measures are to be reviewed: then set policy.review_date of vault.toml anew");
    if (report.overdue > 0) out.warn(fmt::format("{} overdue: run 'callvault purge'", report.overdue));
    if (report.requests_overdue.value_or(0) > 0)
      out.warn(fmt::format("{} overdue: 'callvault request list --overdue' names them",
                           count(*report.requests_overdue, "request is", "requests are")));
    if (report.breaches_overdue.value_or(0) > 0)
      out.warn(fmt::format("{} overdue: the authority is to be told; 'callvault breach list' names them",
                           count(*report.breaches_overdue, "breach is", "breaches are")));
    for (const auto& damage : report.damaged) out.warn(damage);
    if (!report.damaged.empty())
      out.warn("'callvault restore' brings a register back from a backup; 'callvault recover --help' tells what else");
    for (const auto& mirror : report.mirrors_behind)
      out.warn("the keeper in " + mirror +
               " is behind: bring it back, then run 'callvault recover'; shreds since are "
               "not final");
    if (report.outstanding > 0) out.warn(fmt::format("{} outstanding: run 'callvault purge'", report.outstanding));
  }
};

}  // namespace

std::unique_ptr<Command> make_status() { return std::make_unique<Status>(); }

}  // namespace callvault::cli
