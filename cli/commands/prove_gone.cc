#include <fmt/format.h>

#include "cli/command.h"
#include "cli/commands/all.h"
#include "cli/record_view.h"
#include "cli/text.h"

namespace callvault::cli {
namespace {

class ProveGone final : public Command {
 public:
  void declare(Arguments& arguments) override {
    arguments.positional(id_, "ID", "the recording, or a unique prefix of 6 or more characters");
  }

  Result<Exit> run(Session& session) override {
    Output& out = session.out();
    CALLVAULT_TRY_ASSIGN(Vault vault, session.open());
    CALLVAULT_TRY_ASSIGN(const RecordingId id, vault.resolve(id_));
    CALLVAULT_TRY_ASSIGN(const ProofReport report, vault.prove_gone(id));
    if (out.json())
      print_json(report, vault, out);
    else
      print(report, vault, out);
    return report.gone ? Exit::done : Exit::not_gone;
  }

 private:
  static void print_json(const ProofReport& report, const Vault& vault, Output& out) {
    std::vector<JsonObject> steps;
    for (const auto& step : report.steps) {
      JsonObject one;
      one.put("what", step.what).put("passed", step.passed).put("detail", step.detail);
      steps.push_back(std::move(one));
    }
    JsonObject json;
    json.put("id", report.id.text()).put("gone", report.gone);
    if (report.tombstone)
      json.put("tombstone", tombstone_json(*report.tombstone, vault));
    else
      json.put_null("tombstone");
    json.put("steps", steps).put_known("certificate", report.certificate).put("not_seen", report.not_seen);
    out.object(json);
  }

  static void print(const ProofReport& report, const Vault& vault, Output& out) {
    if (report.tombstone) print_tombstone(*report.tombstone, vault, out);
    for (const auto& step : report.steps)
      out.line(fmt::format("{}  {}: {}", out.styled(step.passed ? "passed" : "FAILED", step.passed ? "32" : "31"),
                           printable(step.what), printable(step.detail)));
    for (const auto& line : split(report.certificate, '\n')) out.line(printable(line));
    for (const auto& line : report.not_seen) out.line("not seen: " + printable(line));
    out.line(fmt::format("{} is {}", report.id.text(), report.gone ? "gone by every check" : "NOT gone"));
  }

  std::string id_;
};

}  // namespace

std::unique_ptr<Command> make_prove_gone() { return std::make_unique<ProveGone>(); }

}  // namespace callvault::cli
