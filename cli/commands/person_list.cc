#include "cli/command.h"
#include "cli/commands/all.h"
#include "cli/commands/person_view.h"
#include "cli/table.h"
#include "cli/text.h"
#include "cli/time.h"

namespace callvault::cli {
namespace {

class PersonList final : public Command {
 public:
  void declare(Arguments&) override {}

  Result<Exit> run(Session& session) override {
    Output& out = session.out();
    CALLVAULT_TRY_ASSIGN(Vault vault, session.open());
    CALLVAULT_TRY_ASSIGN(const Person person, session.unlock(vault));
    CALLVAULT_TRY_ASSIGN(const std::vector<PersonInfo> people, vault.person_list(person));
    Table table(out, {"name", "roles", "since", "state"});
    for (const auto& info : people) {
      if (out.json())
        out.object(person_json(info, vault));
      else
        table.add({{info.name},
                   {join(role_words(info.roles), ", ")},
                   {civil(vault.format_time(info.since))},
                   {state_words(info), info.state == "active" ? "" : "33"}});
    }
    return Exit::done;
  }
};

}  // namespace

std::unique_ptr<Command> make_person_list() { return std::make_unique<PersonList>(); }

}  // namespace callvault::cli
