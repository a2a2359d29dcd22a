#include <fmt/format.h>

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
    print_field(out, "state", state_words(info));
    print_field(out, "purposes", info.purposes.empty() ? "none" : join(purpose_words(info.purposes), ", "));
    if (info.expires_at) print_field(out, "access until", vault.format_time(*info.expires_at));
    if (info.assessed_at)
      print_field(out, "assessed",
                  vault.format_time(*info.assessed_at) +
                      (info.assessed_until ? ", until " + vault.format_time(*info.assessed_until) : ""));
    if (info.accepted_at)
      print_field(out, "accepted",
                  fmt::format("duty text {} on {}", info.accepted_number, vault.format_time(*info.accepted_at)));
    if (info.duty_number > 0 && !info.accepted)
      print_field(out, "not accepted", fmt::format("duty text {}, which is in force", info.duty_number));
    return Exit::done;
  }

 private:
  std::string name_;
};

}  // namespace

std::unique_ptr<Command> make_person_show() { return std::make_unique<PersonShow>(); }

}  // namespace callvault::cli
