#include <fmt/format.h>

#include "cli/command.h"
#include "cli/commands/all.h"

namespace callvault::cli {
namespace {

class Pause final : public Command {
 public:
  explicit Pause(bool pauses) : pauses_(pauses) {}

  void declare(Arguments& arguments) override {
    arguments.positional(id_, "ID",
                         "the call, by the id that ingest printed, or a unique prefix of 6 or more characters");
  }

  Result<Exit> run(Session& session) override {
    Output& out = session.out();
    CALLVAULT_TRY_ASSIGN(Vault vault, session.open());
    CALLVAULT_TRY_ASSIGN(const RecordingId id, vault.resolve(id_));
    CALLVAULT_TRY_ASSIGN(const Person person, session.unlock(vault));
    CALLVAULT_TRY(pauses_ ? vault.pause(person, id) : vault.resume(person, id));
    if (out.json())
      out.object(JsonObject().put("id", id.text()).put("paused", pauses_));
    else
      out.line(
          fmt::format("{}: {}", id.text(),
                      pauses_ ? "paused; what is said now is not recorded" : "resumed; what is said now is recorded"));
    return Exit::done;
  }

 private:
  bool pauses_;
  std::string id_;
};

}  // namespace

std::unique_ptr<Command> make_pause() { return std::make_unique<Pause>(true); }
std::unique_ptr<Command> make_resume() { return std::make_unique<Pause>(false); }

}  // namespace callvault::cli
