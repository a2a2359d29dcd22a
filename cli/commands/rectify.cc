#include "callvault/subjects.h"
#include "cli/command.h"
#include "cli/commands/all.h"
#include "cli/record_view.h"
#include "cli/text.h"

namespace callvault::cli {
namespace {

class RectifyCommand final : public Command {
 public:
  void declare(Arguments& arguments) override {
    arguments.positional(id_, "ID", "the recording, or a unique prefix of 6 or more characters");
    arguments.options(fields_, "--set", "FIELD=VALUE",
                      "caller, called, agent or call_id, and what it ought to be; may be repeated (required)");
    arguments.option(note_, "--note", "TEXT", "why; sealed in the journal");
    arguments.required(request_, "--request", "REF", "reference of the request");
  }

  Result<Exit> run(Session& session) override {
    Rectification rectification;
    if (fields_.empty()) return fail(Errc::usage, "--set is required");
    for (const auto& text : fields_) {
      const auto at = text.find('=');
      if (at == std::string::npos || at == 0) return fail(Errc::usage, "--set takes FIELD=VALUE");
      rectification.fields.emplace_back(text.substr(0, at), text.substr(at + 1));
    }
    rectification.request = request_;
    rectification.note = note_.value_or("");
    CALLVAULT_TRY_ASSIGN(Vault vault, session.open());
    CALLVAULT_TRY_ASSIGN(rectification.id, vault.resolve(id_));
    CALLVAULT_TRY_ASSIGN(const Person person, session.unlock(vault));
    CALLVAULT_TRY_ASSIGN(const CallRecord record, about("--set", rectify(vault, person, rectification)));
    if (session.out().json())
      session.out().object(record_details_json(record, vault));
    else
      print_record(record, vault, session.out());
    return Exit::done;
  }

 private:
  std::string id_, request_;
  std::vector<std::string> fields_;
  std::optional<std::string> note_;
};

}  // namespace

std::unique_ptr<Command> make_rectify() { return std::make_unique<RectifyCommand>(); }

}  // namespace callvault::cli
