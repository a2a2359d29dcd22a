#include <fmt/format.h>

#include "cli/command.h"
#include "cli/commands/all.h"
#include "cli/text.h"

namespace callvault::cli {
namespace {

class HoldCommand final : public Command {
 public:
  void declare(Arguments& arguments) override {
    arguments.positional(id_, "ID", "the recording, or a unique prefix of 6 or more characters");
    arguments.required(matter_, "--matter", "M", "the case it is held for");
    arguments.option(until_, "--until", "D", "the hold ends by itself then");
  }

  Result<Exit> run(Session& session) override {
    Output& out = session.out();
    if (matter_.empty()) return fail(Errc::usage, "--matter names no matter");
    HoldOptions options;
    options.matter = matter_;
    CALLVAULT_TRY_ASSIGN(Vault vault, session.open());
    if (until_) {
      CALLVAULT_TRY_ASSIGN(options.until, about("--until", vault.parse_time(*until_)));
    }
    CALLVAULT_TRY_ASSIGN(options.id, vault.resolve(id_));
    CALLVAULT_TRY_ASSIGN(const Person person, session.unlock(vault));
    CALLVAULT_TRY(vault.hold(person, options));
    const auto until = options.until ? std::optional(vault.format_time(*options.until)) : std::nullopt;
    if (out.json())
      out.object(
          JsonObject().put("id", options.id.text()).put("held", true).put("matter", matter_).put("until", until));
    else
      out.line(fmt::format("{}: held for {}{}", options.id.text(), printable(matter_),
                           until ? " until " + *until : std::string()));
    return Exit::done;
  }

 private:
  std::string id_, matter_;
  std::optional<std::string> until_;
};

}  // namespace

std::unique_ptr<Command> make_hold() { return std::make_unique<HoldCommand>(); }

}  // namespace callvault::cli
