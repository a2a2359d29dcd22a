#include <fmt/format.h>

#include "cli/command.h"
#include "cli/commands/all.h"
#include "cli/record_view.h"
#include "cli/table.h"
#include "cli/text.h"
#include "cli/time.h"

namespace callvault::cli {
namespace {

class Find final : public Command {
 public:
  void declare(Arguments& arguments) override {
    arguments.option(query_.caller, "--caller", "N", "the caller's number");
    arguments.option(query_.called, "--called", "N", "the called number");
    arguments.option(query_.agent, "--agent", "A", "who spoke for the organisation");
    arguments.option(from_, "--from", "T", "started at T or later");
    arguments.option(to_, "--to", "T", "started before T");
    arguments.option(consent_, "--consent", "S",
                     "the caller's: unknown, implied, granted, pending, refused or withdrawn");
    arguments.option(query_.call_id, "--call-id", "X", "the telephone system's id of the call");
    arguments.option(direction_, "--direction", "D", "in or out");
    arguments.option(state_, "--state", "S", "live, held, restricted, interrupted or gone");
    arguments.option(limit_, "--limit", "N", "at most N recordings");
  }

  Result<Exit> run(Session& session) override {
    CALLVAULT_TRY(parse_words());
    CALLVAULT_TRY_ASSIGN(Vault vault, session.open());
    if (from_) {
      CALLVAULT_TRY_ASSIGN(query_.from, about("--from", vault.parse_time(*from_)));
    }
    if (to_) {
      CALLVAULT_TRY_ASSIGN(query_.to, about("--to", vault.parse_time(*to_)));
    }
    if (query_.from && query_.to && *query_.from > *query_.to)
      return fail(Errc::usage, "--from must not lie after --to");
    CALLVAULT_TRY_ASSIGN(const Person person, session.unlock(vault));
    return query_.state == State::gone ? find_gone(session, vault, person) : find_stored(session, vault, person);
  }

 private:
  Result<void> parse_words() {
    // An empty variable in a script must not list everything.
    for (const auto* text : {&query_.caller, &query_.called, &query_.agent, &query_.call_id, &from_, &to_})
      if (*text && (*text)->empty()) return fail(Errc::usage, "an option of find has an empty value");
    if (consent_) {
      CALLVAULT_TRY_ASSIGN(query_.consent, parse_consent(*consent_));
    }
    if (direction_) {
      CALLVAULT_TRY_ASSIGN(query_.direction, parse_direction(*direction_));
    }
    if (limit_) {
      CALLVAULT_TRY_ASSIGN(query_.limit, parse_number(*limit_, "--limit", 1, SIZE_MAX));
    }
    if (!state_) return {};
    if (*state_ == "interrupted") {
      query_.interrupted_only = true;
      return {};
    }
    if (*state_ != "live" && *state_ != "held" && *state_ != "restricted" && *state_ != "gone")
      return fail(Errc::usage, "state must be one of live, held, restricted, interrupted, gone");
    CALLVAULT_TRY_ASSIGN(query_.state, parse_state(*state_));
    return {};
  }

  Result<Exit> find_stored(Session& session, Vault& vault, const Person& person) {
    Output& out = session.out();
    Table table(out, {"id", "started", "dur", "dir", "caller", "called", "agent", "consent", "state"});
    const auto visit = [&](const CallRecord& record) {
      if (out.json())
        out.object(record_json(record, vault));
      else
        table.add({{short_id(record.id)},
                   {civil(vault.format_time(record.started_at))},
                   {human_duration(record.duration_s)},
                   {std::string(to_word(record.direction))},
                   {record.caller},
                   {record.called},
                   {record.agent},
                   {std::string(to_word(record.consent_of(Party::caller)))},
                   {state_of(record), std::string(state_colour(record.state))}});
      return !out.broken();
    };
    CALLVAULT_TRY_ASSIGN(const FindSummary summary, vault.find(person, query_, visit));
    table.print();
    remarks(summary, out);
    return Exit::done;
  }

  static std::string state_of(const CallRecord& record) {
    const auto flags = flag_words(record.flags);
    return std::string(to_word(record.state)) + (flags.empty() ? "" : " (" + join(flags, ", ") + ")");
  }

  // Tombstones have fields of their own; only their ids are kept while the search runs.
  Result<Exit> find_gone(Session& session, Vault& vault, const Person& person) {
    Output& out = session.out();
    std::vector<RecordingId> ids;
    const auto visit = [&](const CallRecord& record) {
      ids.push_back(record.id);
      return true;
    };
    CALLVAULT_TRY_ASSIGN(const FindSummary summary, vault.find(person, query_, visit));
    Table table(out, {"id", "start day", "dur", "reason", "shredded", "epoch"});
    CALLVAULT_TRY_ASSIGN(const auto gone, tombstones(vault, ids));
    for (const Tombstone& tombstone : gone) {
      if (out.broken()) break;
      if (out.json())
        out.object(tombstone_json(tombstone, vault));
      else
        table.add({{short_id(tombstone.id)},
                   {tombstone.start_day},
                   {human_duration(static_cast<double>(tombstone.duration_s))},
                   {tombstone.reason},
                   {civil(vault.format_time(tombstone.shredded_at))},
                   {std::to_string(tombstone.epoch)}});
    }
    table.print();
    remarks(summary, out);
    return Exit::done;
  }

  static void remarks(const FindSummary& summary, Output& out) {
    if (summary.found == 0) out.note("nothing found");
    if (summary.unsettled > 0)
      out.note(fmt::format("{} not settled yet, so not listed; 'callvault purge' or 'callvault recover' settles",
                           count(summary.unsettled, "recording is", "recordings are")));
  }

  Query query_;
  std::optional<std::string> from_, to_, consent_, direction_, state_, limit_;
};

}  // namespace

std::unique_ptr<Command> make_find() { return std::make_unique<Find>(); }

}  // namespace callvault::cli
