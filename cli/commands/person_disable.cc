#include <fmt/format.h>

#include "cli/command.h"
#include "cli/commands/all.h"
#include "cli/text.h"

namespace callvault::cli {
namespace {

class PersonDisable final : public Command {
 public:
  void declare(Arguments& arguments) override { arguments.positional(name_, "NAME", "the person"); }

  Result<Exit> run(Session& session) override {
    Output& out = session.out();
    CALLVAULT_TRY_ASSIGN(Vault vault, session.open());
    CALLVAULT_TRY_ASSIGN(const Person officer, session.unlock(vault));
    CALLVAULT_TRY_ASSIGN(const DisableReport report, vault.person_disable(officer, name_));
    if (out.json())
      out.object(JsonObject()
                     .put("name", name_)
                     .put("disabled", true)
                     .put("review_key", report.review_key == 0 ? std::nullopt : std::optional(report.review_key))
                     .put("problems", report.problems));
    else
      out.line(fmt::format("disabled {}{}", printable(name_), report.was_disabled ? " before" : ""));
    if (report.review_key > 0)
      out.note(fmt::format("from now on calls are sealed to review key {}, which {} does not hold", report.review_key,
                           printable(name_)));
    for (const auto& problem : report.problems) out.warn("warning: " + problem);
    return report.problems.empty() ? Exit::done : Exit::partly_done;
  }

 private:
  std::string name_;
};

}  // namespace

std::unique_ptr<Command> make_person_disable() { return std::make_unique<PersonDisable>(); }

}  // namespace callvault::cli
