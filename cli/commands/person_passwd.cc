#include <fmt/format.h>

#include "cli/command.h"
#include "cli/commands/all.h"
#include "cli/text.h"

namespace callvault::cli {
namespace {

class PersonPasswd final : public Command {
 public:
  void declare(Arguments& arguments) override {
    arguments.positional(name_, "NAME", "the person, whose present passphrase is asked for, whoever acts");
    arguments.option(new_file_, "--new-passphrase-file", "FILE", "read the new passphrase from FILE");
    arguments.option(new_command_, "--new-passphrase-command", "CMD", "read it from a command");
  }

  Result<Exit> run(Session& session) override {
    Output& out = session.out();
    CALLVAULT_TRY_ASSIGN(Vault vault, session.open());
    CALLVAULT_TRY_ASSIGN(const Passphrase present,
                         resolve_passphrase(session.sources(), "Present passphrase of " + name_));
    const PassphraseSources sources{new_file_, new_command_, "--new-passphrase-file", "--new-passphrase-command", &out};
    CALLVAULT_TRY_ASSIGN(const Passphrase next, resolve_new_passphrase(sources, "New passphrase of " + name_));
    CALLVAULT_TRY(vault.person_passwd(name_, present, next));
    if (out.json())
      out.object(JsonObject().put("name", name_).put("changed", true));
    else
      out.line(fmt::format("changed the passphrase of {}", printable(name_)));
    return Exit::done;
  }

 private:
  std::string name_;
  std::optional<std::string> new_file_, new_command_;
};

}  // namespace

std::unique_ptr<Command> make_person_passwd() { return std::make_unique<PersonPasswd>(); }

}  // namespace callvault::cli
