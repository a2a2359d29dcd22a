#include <fmt/format.h>

#include "cli/command.h"
#include "cli/commands/all.h"
#include "cli/text.h"

namespace callvault::cli {
namespace {

class Restrict final : public Command {
 public:
  explicit Restrict(bool restricted) : restricted_(restricted) {}

  void declare(Arguments& arguments) override {
    arguments.positional(id_, "ID", "the recording, or a unique prefix of 6 or more characters");
    arguments.required(reason_, "--reason", "TEXT", "why; sealed in the journal");
  }

  Result<Exit> run(Session& session) override {
    Output& out = session.out();
    CALLVAULT_TRY_ASSIGN(Vault vault, session.open());
    CALLVAULT_TRY_ASSIGN(const RecordingId id, vault.resolve(id_));
    CALLVAULT_TRY_ASSIGN(const Person person, session.unlock(vault));
    CALLVAULT_TRY(vault.restrict(person, id, restricted_, reason_));
    if (out.json())
      out.object(JsonObject().put("id", id.text()).put("restricted", restricted_));
    else
      out.line(fmt::format("{}: {}", id.text(), restricted_ ? "restricted" : "no longer restricted"));
    return Exit::done;
  }

 private:
  bool restricted_;
  std::string id_, reason_;
};

}  // namespace

std::unique_ptr<Command> make_restrict() { return std::make_unique<Restrict>(true); }
std::unique_ptr<Command> make_unrestrict() { return std::make_unique<Restrict>(false); }

}  // namespace callvault::cli
