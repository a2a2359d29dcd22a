#include <fmt/format.h>

#include "cli/command.h"
#include "cli/commands/all.h"
#include "cli/commands/person_view.h"
#include "cli/text.h"

namespace callvault::cli {
namespace {

class PersonAdd final : public Command {
 public:
  void declare(Arguments& arguments) override {
    arguments.positional(name_, "NAME", "a-z, 0-9, '-', '_', '.', at most 32 characters");
    arguments.required(roles_, "--role", "R[,R...]", "officer, reviewer, evaluator, auditor, operator");
    arguments.option(until_, "--until", "D", "the end of their access (default: it has no end)");
    arguments.option(new_file_, "--new-passphrase-file", "FILE", "read the new person's passphrase from FILE");
    arguments.option(new_command_, "--new-passphrase-command", "CMD", "read it from a command");
  }

  Result<Exit> run(Session& session) override {
    Output& out = session.out();
    PersonOptions options;
    options.name = name_;
    for (const auto& word : split(roles_, ',')) {
      CALLVAULT_TRY_ASSIGN(const Role role, parse_role(word));
      options.roles.push_back(role);
    }
    CALLVAULT_TRY_ASSIGN(Vault vault, session.open());
    if (until_) {
      CALLVAULT_TRY_ASSIGN(options.until, about("--until", vault.parse_time(*until_)));
    }
    CALLVAULT_TRY_ASSIGN(const Person officer, session.unlock(vault));
    const PassphraseSources sources{new_file_, new_command_, "--new-passphrase-file", "--new-passphrase-command", &out};
    CALLVAULT_TRY_ASSIGN(const Passphrase passphrase, resolve_new_passphrase(sources, "New passphrase of " + name_));
    CALLVAULT_TRY(vault.person_add(officer, options, passphrase));
    if (out.json())
      out.object(
          JsonObject()
              .put("name", name_)
              .put("roles", role_words(options.roles))
              .put("expires_at", options.until ? std::optional(vault.format_time(*options.until)) : std::nullopt));
    else
      out.line(fmt::format("added {} ({}){}", printable(name_), join(role_words(options.roles), ", "),
                           options.until ? " until " + vault.format_time(*options.until) : ""));
    return Exit::done;
  }

 private:
  std::string name_, roles_;
  std::optional<std::string> until_, new_file_, new_command_;
};

}  // namespace

std::unique_ptr<Command> make_person_add() { return std::make_unique<PersonAdd>(); }

}  // namespace callvault::cli
