#include "cli/command.h"
#include "cli/commands/all.h"

namespace callvault::cli {
namespace {

class MayRecordCommand final : public Command {
 public:
  void declare(Arguments& arguments) override {
    arguments.positional(number_, "NUMBER", "the telephone number of the other party");
  }

  // The answer is the exit code; it is no error, so nothing stands on stderr.
  Result<Exit> run(Session& session) override {
    Output& out = session.out();
    CALLVAULT_TRY_ASSIGN(Vault vault, session.open());
    CALLVAULT_TRY_ASSIGN(const MayRecord answer, vault.may_record(number_));
    if (out.json())
      out.object(JsonObject()
                     .put("may_record", answer.allowed)
                     .put("opted_out_since", answer.opted_out_since
                                                 ? std::optional(vault.format_time(*answer.opted_out_since))
                                                 : std::nullopt)
                     .put("incomplete_since", answer.incomplete_since
                                                  ? std::optional(vault.format_time(*answer.incomplete_since))
                                                  : std::nullopt));
    else
      out.line(answer.allowed           ? "may be recorded"
               : answer.opted_out_since ? "opted out: do not record"
                                        : "the opt-out register is incomplete: do not record");
    return answer.allowed ? Exit::done : Exit::refused;
  }

 private:
  std::string number_;
};

}  // namespace

std::unique_ptr<Command> make_may_record() { return std::make_unique<MayRecordCommand>(); }

}  // namespace callvault::cli
