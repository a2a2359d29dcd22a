#include <fmt/format.h>

#include "cli/command.h"
#include "cli/commands/all.h"
#include "cli/table.h"
#include "cli/text.h"
#include "cli/time.h"

namespace callvault::cli {
namespace {

class JournalLog final : public Command {
 public:
  void declare(Arguments&) override {}

  Result<Exit> run(Session& session) override {
    Output& out = session.out();
    CALLVAULT_TRY_ASSIGN(Vault vault, session.open());
    CALLVAULT_TRY_ASSIGN(const Person person, session.unlock(vault));
    Table table(out, {"index", "at", "event", "actor", "facts", "note", "person"});
    const auto visit = [&](const JournalLine& line) {
      const std::string at = vault.format_time(line.at);
      if (out.json()) {
        JsonObject facts;
        for (const auto& [name, value] : line.facts) facts.put(name, value);
        out.object(JsonObject()
                       .put("index", line.index)
                       .put("at", at)
                       .put("event", line.event)
                       .put_known("actor", line.actor)
                       .put("facts", facts)
                       .put_known("note", line.note)
                       .put_known("person", line.person));
      } else {
        std::vector<std::string> facts;
        for (const auto& [name, value] : line.facts) facts.push_back(fmt::format("{}={}", name, value));
        table.add({{std::to_string(line.index)},
                   {civil(at)},
                   {line.event},
                   {line.actor},
                   {join(facts, " ")},
                   {line.note},
                   {line.person}});
      }
      return !out.broken();
    };
    CALLVAULT_TRY(vault.journal_log(person, visit));
    return Exit::done;
  }
};

}  // namespace

std::unique_ptr<Command> make_journal_log() { return std::make_unique<JournalLog>(); }

}  // namespace callvault::cli
