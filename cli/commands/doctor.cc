#include <algorithm>

#include "cli/command.h"
#include "cli/commands/all.h"
#include "cli/table.h"

namespace callvault::cli {
namespace {

using Level = DoctorFinding::Level;

std::string word(Level level) { return level == Level::ok ? "ok" : level == Level::warning ? "warning" : "danger"; }

std::string colour(Level level) { return level == Level::ok ? "32" : level == Level::warning ? "33" : "31"; }

class Doctor final : public Command {
 public:
  void declare(Arguments&) override {}

  Result<Exit> run(Session& session) override {
    Output& out = session.out();
    CALLVAULT_TRY_ASSIGN(Vault vault, session.open());
    CALLVAULT_TRY_ASSIGN(const DoctorReport report, vault.doctor());
    const bool safe =
        std::ranges::none_of(report.findings, [](const auto& finding) { return finding.level == Level::danger; });
    if (out.json()) {
      std::vector<JsonObject> findings;
      for (const auto& finding : report.findings) {
        JsonObject one;
        one.put("level", word(finding.level)).put("subject", finding.subject).put("message", finding.message);
        findings.push_back(std::move(one));
      }
      out.object(JsonObject().put("ok", safe).put("findings", findings));
    } else {
      Table table(out, {"level", "subject", "finding"});
      for (const auto& finding : report.findings)
        table.add({{word(finding.level), colour(finding.level)}, {finding.subject}, {finding.message}});
    }
    return safe ? Exit::done : Exit::partly_done;
  }
};

}  // namespace

std::unique_ptr<Command> make_doctor() { return std::make_unique<Doctor>(); }

}  // namespace callvault::cli
