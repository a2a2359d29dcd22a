// The commands of the group `alias`.
#include <fmt/format.h>

#include "callvault/subjects.h"
#include "cli/command.h"
#include "cli/commands/all.h"
#include "cli/text.h"

namespace callvault::cli {
namespace {

void tell(const Aliases& aliases, Output& out) {
  if (out.json()) {
    out.object(JsonObject()
                   .put("numbers", aliases.numbers)
                   .put_known("request", aliases.request)
                   .put("changed", aliases.changed));
    return;
  }
  for (const auto& number : aliases.numbers) out.line(printable(number));
  if (aliases.numbers.empty()) out.note("none of them has an alias any more");
}

class AddAlias final : public Command {
 public:
  void declare(Arguments& arguments) override {
    arguments.positionals(numbers_, "NUMBER", "telephone numbers of one person, two or more");
    arguments.option(request_, "--request", "REF", "reference of the request; sealed with them");
  }

  Result<Exit> run(Session& session) override {
    if (numbers_.size() < 2) return fail(Errc::usage, "an alias needs two different numbers or more");
    CALLVAULT_TRY_ASSIGN(Vault vault, session.open());
    CALLVAULT_TRY_ASSIGN(const Person person, session.unlock(vault));
    CALLVAULT_TRY_ASSIGN(const Aliases aliases, alias_add(vault, person, numbers_, request_.value_or("")));
    tell(aliases, session.out());
    return Exit::done;
  }

 private:
  std::vector<std::string> numbers_;
  std::optional<std::string> request_;
};

class OneAlias final : public Command {
 public:
  explicit OneAlias(bool removes) : removes_(removes) {}

  void declare(Arguments& arguments) override {
    arguments.positional(number_, "NUMBER", "one of the person's telephone numbers");
  }

  Result<Exit> run(Session& session) override {
    CALLVAULT_TRY_ASSIGN(Vault vault, session.open());
    CALLVAULT_TRY_ASSIGN(const Person person, session.unlock(vault));
    CALLVAULT_TRY_ASSIGN(const Aliases aliases,
                         removes_ ? alias_remove(vault, person, number_) : alias_show(vault, person, number_));
    tell(aliases, session.out());
    return Exit::done;
  }

 private:
  bool removes_;
  std::string number_;
};

}  // namespace

std::unique_ptr<Command> make_alias_add() { return std::make_unique<AddAlias>(); }
std::unique_ptr<Command> make_alias_remove() { return std::make_unique<OneAlias>(true); }
std::unique_ptr<Command> make_alias_show() { return std::make_unique<OneAlias>(false); }

}  // namespace callvault::cli
