#include "cli/command.h"
#include "cli/commands/all.h"
#include "cli/commands/person_view.h"
#include "cli/record_view.h"
#include "cli/text.h"

namespace callvault::cli {
namespace {

class PersonShow final : public Command {
 public:
  void declare(Arguments& arguments) override { arguments.positional(name_, "NAME", "the person"); }

  Result<Exit> run(Session& session) override {
    Output& out = session.out();
    CALLVAULT_TRY_ASSIGN(Vault vault, session.open());
    CALLVAULT_TRY_ASSIGN(const Person person, session.unlock(vault));
    CALLVAULT_TRY_ASSIGN(const PersonInfo info, vault.person_show(person, name_));
    if (out.json()) {
      out.object(person_json(info, vault));
      return Exit::done;
    }
    print_field(out, "name", info.name);
    print_field(out, "roles", join(role_words(info.roles), ", "));
    print_field(out, "since", vault.format_time(info.since));
    print_field(out, "state", info.disabled ? "disabled" : "active");
    return Exit::done;
  }

 private:
  std::string name_;
};

}  // namespace

std::unique_ptr<Command> make_person_show() { return std::make_unique<PersonShow>(); }

}  // namespace callvault::cli
