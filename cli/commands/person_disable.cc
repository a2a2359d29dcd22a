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
    CALLVAULT_TRY(vault.person_disable(officer, name_));
    if (out.json())
      out.object(JsonObject().put("name", name_).put("disabled", true));
    else
      out.line(fmt::format("disabled {}", printable(name_)));
    return Exit::done;
  }

 private:
  std::string name_;
};

}  // namespace

std::unique_ptr<Command> make_person_disable() { return std::make_unique<PersonDisable>(); }

}  // namespace callvault::cli
