#include "cli/command.h"
#include "cli/commands/all.h"

namespace callvault::cli {
namespace {

class OptOutCommand final : public Command {
 public:
  explicit OptOutCommand(bool adds) : adds_(adds) {}

  void declare(Arguments& arguments) override {
    arguments.positional(options_.number, "NUMBER", "the telephone number");
    if (adds_) arguments.option(request_, "--request", "REF", "reference of the request; sealed with it");
  }

  Result<Exit> run(Session& session) override {
    Output& out = session.out();
    options_.request = request_.value_or("");
    CALLVAULT_TRY_ASSIGN(Vault vault, session.open());
    CALLVAULT_TRY_ASSIGN(const Person person, session.unlock(vault));
    CALLVAULT_TRY_ASSIGN(const bool changed,
                         adds_ ? vault.opt_out_add(person, options_) : vault.opt_out_remove(person, options_));
    if (!adds_ && !changed) return fail(Errc::not_found, "the number has not opted out");
    if (out.json())
      out.object(JsonObject().put("opted_out", adds_).put("changed", changed));
    else if (adds_)
      out.line(changed ? "opted out: its calls are not to be recorded" : "had opted out before");
    else
      out.line("may be recorded again");
    return Exit::done;
  }

 private:
  bool adds_;
  OptOutOptions options_;
  std::optional<std::string> request_;
};

}  // namespace

std::unique_ptr<Command> make_opt_out_add() { return std::make_unique<OptOutCommand>(true); }
std::unique_ptr<Command> make_opt_out_remove() { return std::make_unique<OptOutCommand>(false); }

}  // namespace callvault::cli
