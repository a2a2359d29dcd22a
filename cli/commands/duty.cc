// The commands of the group `duty`.
#include <fmt/format.h>

#include "callvault/people.h"
#include "cli/command.h"
#include "cli/commands/all.h"
#include "cli/input_file.h"
#include "cli/text.h"

namespace callvault::cli {
namespace {

JsonObject duty_json(const Duty& duty, const Vault& vault) {
  JsonObject json;
  json.put("number", duty.number).put("sha256", duty.sha256).put("set_at", vault.format_time(duty.set_at));
  return json;
}

class DutySet final : public Command {
 public:
  void declare(Arguments& arguments) override {
    arguments.positional(file_, "FILE", "the text that everybody has to accept");
  }

  Result<Exit> run(Session& session) override {
    Output& out = session.out();
    CALLVAULT_TRY_ASSIGN(std::string text, read_input_file(file_));
    CALLVAULT_TRY_ASSIGN(Vault vault, session.open());
    CALLVAULT_TRY_ASSIGN(const Person officer, session.unlock(vault));
    CALLVAULT_TRY_ASSIGN(const Duty duty, duty_set(vault, officer, std::move(text)));
    if (out.json()) {
      out.object(duty_json(duty, vault));
      return Exit::done;
    }
    out.line(fmt::format("duty text {} is in force (sha256 {})", duty.number, duty.sha256));
    out.note("nobody acts any more who is not assessed or has not accepted it: 'callvault person list' tells who");
    return Exit::done;
  }

 private:
  std::string file_;
};

class DutyShow final : public Command {
 public:
  void declare(Arguments&) override {}

  Result<Exit> run(Session& session) override {
    Output& out = session.out();
    CALLVAULT_TRY_ASSIGN(Vault vault, session.open());
    CALLVAULT_TRY_ASSIGN(const Person person, session.unlock(vault));
    CALLVAULT_TRY_ASSIGN(const Duty duty, duty_show(vault, person));
    if (out.json()) {
      out.object(duty_json(duty, vault).put("text", duty.text));
      return Exit::done;
    }
    out.note(fmt::format("duty text {}, set {}, sha256 {}", duty.number, vault.format_time(duty.set_at), duty.sha256));
    const auto end = duty.text.find_last_not_of('\n');
    for (const auto& line : split(std::string_view(duty.text).substr(0, end + 1), '\n')) out.line(printable(line));
    return Exit::done;
  }
};

}  // namespace

std::unique_ptr<Command> make_duty_set() { return std::make_unique<DutySet>(); }
std::unique_ptr<Command> make_duty_show() { return std::make_unique<DutyShow>(); }

}  // namespace callvault::cli
