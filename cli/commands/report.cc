// The commands of the group `report` that print tables.
#include "callvault/office.h"

#include "cli/command.h"
#include "cli/commands/all.h"
#include "cli/csv.h"
#include "cli/table.h"
#include "cli/text.h"
#include "cli/time.h"

namespace callvault::cli {
namespace {

std::string text_of(const ReportCell& cell) {
  if (const auto* text = std::get_if<std::string>(&cell)) return *text;
  return std::to_string(std::get<std::uint64_t>(cell));
}

JsonObject json_of(const OfficeReport& report, const std::vector<ReportCell>& row) {
  JsonObject out;
  for (std::size_t i = 0; i < row.size(); ++i) {
    if (const auto* text = std::get_if<std::string>(&row[i]))
      out.put_known(report.columns[i], *text);
    else
      out.put(report.columns[i], std::get<std::uint64_t>(row[i]));
  }
  return out;
}

void print_report(const OfficeReport& report, bool csv, Output& out) {
  if (out.json()) {
    for (const auto& row : report.rows) out.object(json_of(report, row));
    return;
  }
  if (csv) out.line(csv_line(report.columns));
  Table table(out, report.columns);
  for (const auto& row : report.rows) {
    std::vector<std::string> texts;
    texts.reserve(row.size());
    for (const auto& cell : row) texts.push_back(text_of(cell));
    if (csv) {
      out.line(csv_line(texts));
      continue;
    }
    std::vector<Cell> cells;
    cells.reserve(texts.size());
    for (auto& text : texts) cells.push_back({std::move(text)});
    table.add(std::move(cells));
  }
}

class MakeReport final : public Command {
 public:
  explicit MakeReport(ReportKind kind) { options_.kind = kind; }

  void declare(Arguments& arguments) override {
    arguments.flag(csv_, "--csv", "print comma-separated values (RFC 4180)");
    if (options_.kind != ReportKind::accesses) return;
    arguments.option(from_, "--from", "T", "from this time on");
    arguments.option(to_, "--to", "T", "before this time");
  }

  Result<Exit> run(Session& session) override {
    CALLVAULT_TRY_ASSIGN(Vault vault, session.open());
    if (from_) {
      CALLVAULT_TRY_ASSIGN(options_.from, about("--from", vault.parse_time(*from_)));
    }
    if (to_) {
      CALLVAULT_TRY_ASSIGN(options_.to, about("--to", vault.parse_time(*to_)));
    }
    CALLVAULT_TRY_ASSIGN(const Person person, session.unlock(vault));
    CALLVAULT_TRY_ASSIGN(const OfficeReport report, make_report(vault, person, options_));
    print_report(report, csv_, session.out());
    return Exit::done;
  }

 private:
  ReportOptions options_;
  bool csv_ = false;
  std::optional<std::string> from_, to_;
};

template <ReportKind kind>
std::unique_ptr<Command> make() {
  return std::make_unique<MakeReport>(kind);
}

}  // namespace

std::unique_ptr<Command> make_report_processing() { return make<ReportKind::processing>(); }
std::unique_ptr<Command> make_report_data_map() { return make<ReportKind::data_map>(); }
std::unique_ptr<Command> make_report_retention() { return make<ReportKind::retention>(); }
std::unique_ptr<Command> make_report_accesses() { return make<ReportKind::accesses>(); }
std::unique_ptr<Command> make_report_requests() { return make<ReportKind::requests>(); }

}  // namespace callvault::cli
