#include <fmt/format.h>

#include "callvault/subjects.h"
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
    arguments.option(request_, "--request", "R", "instead of ID: every recording of this request's person");
    arguments.required(reason_, "--reason", "TEXT", "why; sealed in the journal");
  }

  Result<Exit> run(Session& session) override {
    Output& out = session.out();
    if (id_.has_value() == request_.has_value())
      return fail(Errc::usage, "a recording or --request is needed, one of them");
    CALLVAULT_TRY_ASSIGN(Vault vault, session.open());
    if (request_) return run_for_request(session, vault);
    CALLVAULT_TRY_ASSIGN(const RecordingId id, vault.resolve(*id_));
    CALLVAULT_TRY_ASSIGN(const Person person, session.unlock(vault));
    CALLVAULT_TRY_ASSIGN(const bool erased, vault.restrict(person, id, restricted_, reason_));
    if (out.json())
      out.object(JsonObject().put("id", id.text()).put("restricted", restricted_).put("erased", erased));
    else
      out.line(fmt::format("{}: {}{}", id.text(), restricted_ ? "restricted" : "no longer restricted",
                           erased ? "; erased, as a request had asked" : ""));
    return Exit::done;
  }

 private:
  Result<Exit> run_for_request(Session& session, Vault& vault) const {
    Output& out = session.out();
    CALLVAULT_TRY_ASSIGN(const Person person, session.unlock(vault));
    CALLVAULT_TRY_ASSIGN(const RestrictReport report, restrict_all_of(vault, person, *request_, restricted_, reason_));
    if (out.json()) {
      out.object(JsonObject()
                     .put("request", *request_)
                     .put("restricted", restricted_)
                     .put("recordings", report.recordings)
                     .put("changed", report.changed)
                     .put("erased", report.erased));
    } else {
      out.line(fmt::format("{} of {} {}", report.changed, count(report.recordings, "recording", "recordings"),
                           restricted_ ? "restricted" : "no longer restricted"));
      if (report.erased > 0) out.note(fmt::format("{} erased, as a request had asked", report.erased));
    }
    return Exit::done;
  }

  bool restricted_;
  std::string reason_;
  std::optional<std::string> id_, request_;
};

}  // namespace

std::unique_ptr<Command> make_restrict() { return std::make_unique<Restrict>(true); }
std::unique_ptr<Command> make_unrestrict() { return std::make_unique<Restrict>(false); }

}  // namespace callvault::cli
