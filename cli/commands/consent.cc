#include <fmt/format.h>

#include "cli/command.h"
#include "cli/commands/all.h"
#include "cli/text.h"

namespace callvault::cli {
namespace {

class ConsentCommand final : public Command {
 public:
  void declare(Arguments& arguments) override {
    arguments.positional(id_, "ID", "the recording, or a unique prefix of 6 or more characters");
    arguments.required(party_, "--party", "P", "caller or agent");
    arguments.required(set_, "--set", "C", "granted, refused or withdrawn");
    arguments.option(evidence_, "--evidence", "TEXT", "how it was given; sealed in the journal");
    arguments.flag(keep_agent_, "--keep-agent", "when the caller refuses or withdraws: the agent's own track stays");
  }

  Result<Exit> run(Session& session) override {
    Output& out = session.out();
    ConsentChange change;
    CALLVAULT_TRY_ASSIGN(change.party, parse_party(party_));
    if (set_ != "granted" && set_ != "refused" && set_ != "withdrawn")
      return fail(Errc::usage, "--set must be one of granted, refused, withdrawn");
    CALLVAULT_TRY_ASSIGN(change.consent, parse_consent(set_));
    if (keep_agent_ && (change.party != Party::caller || change.consent == Consent::granted))
      return fail(Errc::usage, "--keep-agent goes with the caller's refusal or withdrawal");
    change.keep_agent = keep_agent_;
    change.evidence = evidence_.value_or("");
    CALLVAULT_TRY_ASSIGN(Vault vault, session.open());
    CALLVAULT_TRY_ASSIGN(change.id, vault.resolve(id_));
    CALLVAULT_TRY_ASSIGN(const Person person, session.unlock(vault));
    CALLVAULT_TRY_ASSIGN(const ConsentReport report, vault.set_consent(person, change));
    if (out.json()) {
      out.object(JsonObject()
                     .put("id", report.id.text())
                     .put("party", party_)
                     .put("consent", set_)
                     .put("ended", report.ended)
                     .put("shredded", report.shredded)
                     .put("opted_out", report.opted_out)
                     .put("agent_kept", report.agent_kept)
                     .put_known("kept_because", report.kept_because));
      return Exit::done;
    }
    const std::string_view what =
        report.agent_kept ? "; the caller's voice is shredded, the agent's stays" : "; the recording is shredded";
    out.line(fmt::format("{}: {} of the {} noted{}{}{}{}", report.id.text(), set_, party_,
                         report.ended ? "; the call is ended" : "", report.shredded ? what : "",
                         report.kept_because.empty() ? "" : "; kept because of " + printable(report.kept_because),
                         report.opted_out ? "; the number is not to be recorded any more" : ""));
    return Exit::done;
  }

 private:
  std::string id_, party_, set_;
  std::optional<std::string> evidence_;
  bool keep_agent_ = false;
};

}  // namespace

std::unique_ptr<Command> make_consent() { return std::make_unique<ConsentCommand>(); }

}  // namespace callvault::cli
