// What lets a person act: `person assess`, `person accept`, `person renew`.
#include <fmt/format.h>

#include "callvault/people.h"
#include "cli/command.h"
#include "cli/commands/all.h"
#include "cli/commands/person_view.h"
#include "cli/text.h"

namespace callvault::cli {
namespace {

Exit tell_person(const PersonInfo& info, const Vault& vault, Output& out, const std::string& line) {
  if (out.json())
    out.object(person_json(info, vault));
  else
    out.line(line);
  return Exit::done;
}

class PersonAssess final : public Command {
 public:
  void declare(Arguments& arguments) override {
    arguments.positional(options_.name, "NAME", "the person");
    arguments.required(date_, "--date", "D", "when they were assessed");
    arguments.option(until_, "--until", "D", "the assessment stands until then (default: it has no end)");
  }

  Result<Exit> run(Session& session) override {
    CALLVAULT_TRY_ASSIGN(Vault vault, session.open());
    CALLVAULT_TRY_ASSIGN(options_.date, about("--date", vault.parse_time(date_)));
    if (until_) {
      CALLVAULT_TRY_ASSIGN(options_.until, about("--until", vault.parse_time(*until_)));
    }
    CALLVAULT_TRY_ASSIGN(const Person officer, session.unlock(vault));
    CALLVAULT_TRY_ASSIGN(const PersonInfo info, person_assess(vault, officer, options_));
    return tell_person(info, vault, session.out(),
                       fmt::format("{}: assessed on {}{}", printable(info.name), vault.format_time(*options_.date),
                                   options_.until ? ", until " + vault.format_time(*options_.until) : ""));
  }

 private:
  AssessOptions options_;
  std::string date_;
  std::optional<std::string> until_;
};

class PersonAccept final : public Command {
 public:
  void declare(Arguments&) override {}

  Result<Exit> run(Session& session) override {
    CALLVAULT_TRY_ASSIGN(Vault vault, session.open());
    CALLVAULT_TRY_ASSIGN(const Person person, session.unlock(vault));
    CALLVAULT_TRY_ASSIGN(const PersonInfo info, person_accept(vault, person));
    return tell_person(info, vault, session.out(),
                       fmt::format("{}: accepted duty text {}", printable(info.name), info.accepted_number));
  }
};

class PersonRenew final : public Command {
 public:
  void declare(Arguments& arguments) override {
    arguments.positional(name_, "NAME", "the person");
    arguments.required(until_, "--until", "D|never", "the end of their access");
  }

  Result<Exit> run(Session& session) override {
    CALLVAULT_TRY_ASSIGN(Vault vault, session.open());
    std::optional<Time> until;
    if (until_ != "never") {
      CALLVAULT_TRY_ASSIGN(until, about("--until", vault.parse_time(until_)));
    }
    CALLVAULT_TRY_ASSIGN(const Person officer, session.unlock(vault));
    CALLVAULT_TRY_ASSIGN(const PersonInfo info, person_renew(vault, officer, name_, until));
    return tell_person(
        info, vault, session.out(),
        printable(info.name) + (until ? ": access until " + vault.format_time(*until) : ": access without an end"));
  }

 private:
  std::string name_, until_;
};

}  // namespace

std::unique_ptr<Command> make_person_assess() { return std::make_unique<PersonAssess>(); }
std::unique_ptr<Command> make_person_accept() { return std::make_unique<PersonAccept>(); }
std::unique_ptr<Command> make_person_renew() { return std::make_unique<PersonRenew>(); }

}  // namespace callvault::cli
