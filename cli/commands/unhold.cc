#include <fmt/format.h>

#include "cli/command.h"
#include "cli/commands/all.h"
#include "cli/text.h"

namespace callvault::cli {
namespace {

class Unhold final : public Command {
 public:
  void declare(Arguments& arguments) override {
    arguments.positional(id_, "ID", "the recording, or a unique prefix of 6 or more characters");
    arguments.required(matter_, "--matter", "M", "the case it was held for");
  }

  Result<Exit> run(Session& session) override {
    Output& out = session.out();
    CALLVAULT_TRY_ASSIGN(Vault vault, session.open());
    CALLVAULT_TRY_ASSIGN(const RecordingId id, vault.resolve(id_));
    CALLVAULT_TRY_ASSIGN(const Person person, session.unlock(vault));
    CALLVAULT_TRY_ASSIGN(const bool erased, vault.unhold(person, id, matter_));
    if (out.json())
      out.object(JsonObject().put("id", id.text()).put("released", true).put("matter", matter_).put("erased", erased));
    else
      out.line(fmt::format("{}: no longer held for {}{}", id.text(), printable(matter_),
                           erased ? "; erased, as a request had asked" : ""));
    return Exit::done;
  }

 private:
  std::string id_, matter_;
};

}  // namespace

std::unique_ptr<Command> make_unhold() { return std::make_unique<Unhold>(); }

}  // namespace callvault::cli
