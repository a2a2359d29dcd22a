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
  }

  Result<Exit> run(Session& session) override {
    Output& out = session.out();
    ConsentChange change;
    CALLVAULT_TRY_ASSIGN(change.party, parse_party(party_));
    if (set_ != "granted" && set_ != "refused" && set_ != "withdrawn")
      return fail(Errc::usage, "--set must be one of granted, refused, withdrawn");
    CALLVAULT_TRY_ASSIGN(change.consent, parse_consent(set_));
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
                     .put_known("kept_because", report.kept_because));
      return Exit::done;
    }
    out.line(fmt::format("{}: {} of the {} noted{}{}{}{}", report.id.text(), set_, party_,
                         report.ended ? "; the call is ended" : "",
                         report.shredded ? "; the recording is shredded" : "",
                         report.kept_because.empty() ? "" : "; kept because of " + printable(report.kept_because),
                         report.opted_out ? "; the number is not to be recorded any more" : ""));
    return Exit::done;
  }

 private:
  std::string id_, party_, set_;
  std::optional<std::string> evidence_;
};

}  // namespace

std::unique_ptr<Command> make_consent() { return std::make_unique<ConsentCommand>(); }

}  // namespace callvault::cli
