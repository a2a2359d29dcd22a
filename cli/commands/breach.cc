// The commands of the group `breach`.
#include "callvault/breach.h"

#include <fmt/format.h>

#include "cli/command.h"
#include "cli/commands/all.h"
#include "cli/record_view.h"
#include "cli/table.h"
#include "cli/text.h"
#include "cli/time.h"

namespace callvault::cli {
namespace {

JsonObject breach_json(const Breach& b, const Vault& vault) {
  const auto when = [&](const std::optional<Time>& time) {
    return time ? std::optional(vault.format_time(*time)) : std::nullopt;
  };
  std::vector<JsonObject> history;
  for (const auto& step : b.history)
    history.push_back(JsonObject()
                          .put("at", vault.format_time(step.at))
                          .put("actor", step.actor)
                          .put("what", step.what)
                          .put_known("text", step.text));
  return JsonObject()
      .put("id", b.id)
      .put("state", b.closed ? "closed" : "open")
      .put("nature", to_word(b.nature))
      .put("risk", to_word(b.risk))
      .put("discovered", vault.format_time(b.discovered))
      .put("due", vault.format_time(b.due))
      .put("overdue", b.overdue)
      .put("from", when(b.from))
      .put("to", when(b.to))
      .put("authority_notified", when(b.authority_notified))
      .put("people_notified", when(b.people_notified))
      .put("closed", when(b.closed_at))
      .put("history", history);
}

Exit tell_breach(const Breach& b, const Vault& vault, Output& out) {
  if (out.json()) {
    out.object(breach_json(b, vault));
    return Exit::done;
  }
  const auto time = [&](const std::optional<Time>& at, const char* none) {
    return at ? civil(vault.format_time(*at)) : std::string(none);
  };
  print_field(out, "breach", fmt::format("{} ({}, {})", b.id, to_word(b.nature), b.closed ? "closed" : "open"));
  print_field(out, "risk", b.risk == BreachRisk::not_assessed ? "not assessed yet" : to_word(b.risk));
  print_field(out, "discovered", time(b.discovered, ""));
  print_field(out, "due", time(b.due, "") + (b.overdue ? ", overdue" : ""));
  print_field(out, "authority", time(b.authority_notified, "not told"));
  print_field(out, "people", time(b.people_notified, "not told"));
  for (const auto& step : b.history)
    out.line(fmt::format("  {}  {} by {}{}", civil(vault.format_time(step.at)), step.what, printable(step.actor),
                         step.text.empty() ? "" : ": " + printable(step.text)));
  return Exit::done;
}

Result<std::optional<Time>> time_of(const Vault& vault, const char* option, const std::optional<std::string>& text) {
  if (!text) return std::optional<Time>();
  CALLVAULT_TRY_ASSIGN(const Time time, about(option, vault.parse_time(*text)));
  return std::optional(time);
}

class OpenBreach final : public Command {
 public:
  void declare(Arguments& arguments) override {
    arguments.required(summary_, "--summary", "TEXT", "what happened");
    arguments.option(nature_, "--nature", "N", "confidentiality (default), integrity or availability");
    arguments.option(discovered_, "--discovered", "T", "when it was noticed; the clock counts from it (default now)");
    arguments.option(from_, "--from", "T", "when it began, if known");
    arguments.option(to_, "--to", "T", "when it ended, if known");
  }

  Result<Exit> run(Session& session) override {
    BreachOptions options;
    options.summary = summary_;
    if (nature_) {
      CALLVAULT_TRY_ASSIGN(options.nature, about("--nature", parse_breach_nature(*nature_)));
    }
    CALLVAULT_TRY_ASSIGN(Vault vault, session.open());
    CALLVAULT_TRY_ASSIGN(options.discovered, time_of(vault, "--discovered", discovered_));
    CALLVAULT_TRY_ASSIGN(options.from, time_of(vault, "--from", from_));
    CALLVAULT_TRY_ASSIGN(options.to, time_of(vault, "--to", to_));
    CALLVAULT_TRY_ASSIGN(const Person person, session.unlock(vault));
    CALLVAULT_TRY_ASSIGN(const Breach breach, breach_open(vault, person, options));
    return tell_breach(breach, vault, session.out());
  }

 private:
  std::string summary_;
  std::optional<std::string> nature_, discovered_, from_, to_;
};

// What is done to one breach, or read of it.
class OneBreach : public Command {
 public:
  void declare(Arguments& arguments) override {
    arguments.positional(id_, "BREACH", "its number: B-2026-0001");
    declare_more(arguments);
  }

  Result<Exit> run(Session& session) override {
    CALLVAULT_TRY(prepare());
    CALLVAULT_TRY_ASSIGN(Vault vault, session.open());
    CALLVAULT_TRY(read_times(vault));
    CALLVAULT_TRY_ASSIGN(const Person person, session.unlock(vault));
    CALLVAULT_TRY_ASSIGN(const Breach breach, apply(vault, person));
    return tell_breach(breach, vault, session.out());
  }

 protected:
  virtual void declare_more(Arguments&) {}
  virtual Result<void> prepare() { return {}; }
  virtual Result<void> read_times(const Vault&) { return {}; }
  virtual Result<Breach> apply(Vault& vault, const Person& person) = 0;

  std::string id_;
};

class AssessBreach final : public OneBreach {
  void declare_more(Arguments& arguments) override {
    arguments.required(risk_, "--risk", "R", "to people: none, some or high");
    arguments.required(reason_, "--reason", "TEXT", "why");
  }
  Result<void> prepare() override {
    CALLVAULT_TRY_ASSIGN(parsed_, about("--risk", parse_breach_risk(risk_)));
    return {};
  }
  Result<Breach> apply(Vault& vault, const Person& person) override {
    return breach_assess(vault, person, id_, parsed_, reason_);
  }
  std::string risk_, reason_;
  BreachRisk parsed_ = BreachRisk::none;
};

class NotifyBreach final : public OneBreach {
  void declare_more(Arguments& arguments) override {
    arguments.required(whom_, "--whom", "W", "authority or people");
    arguments.option(at_, "--at", "T", "when they were told (default now)");
    arguments.option(reference_, "--reference", "TEXT", "the authority's receipt, or how people were told");
    arguments.option(reason_, "--reason", "TEXT", "why it is late; needed after the deadline");
  }
  Result<void> prepare() override {
    CALLVAULT_TRY_ASSIGN(notice_.audience, about("--whom", parse_breach_audience(whom_)));
    notice_.reference = reference_.value_or("");
    notice_.reason = reason_.value_or("");
    return {};
  }
  Result<void> read_times(const Vault& vault) override {
    CALLVAULT_TRY_ASSIGN(notice_.at, time_of(vault, "--at", at_));
    return {};
  }
  Result<Breach> apply(Vault& vault, const Person& person) override {
    return breach_notify(vault, person, id_, notice_);
  }
  std::string whom_;
  std::optional<std::string> at_, reference_, reason_;
  BreachNotice notice_;
};

class NoteBreach final : public OneBreach {
  void declare_more(Arguments& arguments) override {
    arguments.required(text_, "--text", "TEXT", "effects, measures taken, anything to be documented");
  }
  Result<Breach> apply(Vault& vault, const Person& person) override { return breach_note(vault, person, id_, text_); }
  std::string text_;
};

class CloseBreach final : public OneBreach {
  void declare_more(Arguments& arguments) override {
    arguments.option(note_, "--note", "TEXT", "how it ended; or why people need not be told of a high risk");
  }
  Result<Breach> apply(Vault& vault, const Person& person) override {
    return breach_close(vault, person, id_, note_.value_or(""));
  }
  std::optional<std::string> note_;
};

class ShowBreach final : public OneBreach {
  Result<Breach> apply(Vault& vault, const Person& person) override { return breach_show(vault, person, id_); }
};

class ListBreaches final : public Command {
 public:
  void declare(Arguments&) override {}

  Result<Exit> run(Session& session) override {
    Output& out = session.out();
    CALLVAULT_TRY_ASSIGN(Vault vault, session.open());
    CALLVAULT_TRY_ASSIGN(const Person person, session.unlock(vault));
    CALLVAULT_TRY_ASSIGN(const auto breaches, breach_list(vault, person));
    Table table(out, {"breach", "nature", "risk", "discovered", "due", "state"});
    for (const auto& b : breaches) {
      if (out.json())
        out.object(breach_json(b, vault));
      else
        table.add({{b.id},
                   {std::string(to_word(b.nature))},
                   {std::string(to_word(b.risk))},
                   {civil(vault.format_time(b.discovered))},
                   {civil(vault.format_time(b.due)) + (b.overdue ? " overdue" : "")},
                   {b.closed ? "closed" : "open", b.overdue ? "33" : ""}});
    }
    return Exit::done;
  }
};

class ScopeBreach final : public Command {
 public:
  void declare(Arguments& arguments) override {
    arguments.required(from_, "--from", "T", "when the exposure began");
    arguments.required(to_, "--to", "T", "when it ended");
    arguments.required(exposed_, "--exposed", "WHAT", "keeper, disk, person:NAME or backup:DATE");
    arguments.flag(list_, "--list", "name each recording");
  }

  Result<Exit> run(Session& session) override {
    Output& out = session.out();
    CALLVAULT_TRY_ASSIGN(Vault vault, session.open());
    CALLVAULT_TRY_ASSIGN(const Time from, about("--from", vault.parse_time(from_)));
    CALLVAULT_TRY_ASSIGN(const Time to, about("--to", vault.parse_time(to_)));
    CALLVAULT_TRY_ASSIGN(const Exposure exposure, about("--exposed", parse_exposure(vault, exposed_)));
    CALLVAULT_TRY_ASSIGN(const Person person, session.unlock(vault));
    CALLVAULT_TRY_ASSIGN(const BreachScope scope, breach_scope(vault, person, from, to, exposure, list_));
    if (out.json())
      tell_json(scope, out);
    else
      tell_people(scope, out);
    return Exit::done;
  }

 private:
  static void tell_json(const BreachScope& scope, Output& out) {
    for (const auto& r : scope.recordings)
      out.object(JsonObject()
                     .put("type", "recording")
                     .put("id", r.id.text())
                     .put("start_day", r.start_day)
                     .put("gone", r.gone)
                     .put("opened", r.opened)
                     .put("audio_open", r.audio_open)
                     .put("key_open", r.key_open));
    out.object(JsonObject()
                   .put("type", "scope")
                   .put("present", scope.present)
                   .put("gone_since", scope.gone_since)
                   .put("details_open", scope.details_open)
                   .put("audio_open", scope.audio_open)
                   .put("key_open", scope.key_open)
                   .put("opened", scope.opened)
                   .put("exported", scope.exported)
                   .put("people", scope.people)
                   .put("first_epoch", scope.first_epoch)
                   .put("last_epoch", scope.last_epoch)
                   .put("because", scope.because));
  }

  static void tell_people(const BreachScope& scope, Output& out) {
    for (const auto& r : scope.recordings)
      out.line(fmt::format("{}  {}{}{}{}", r.id.text(), r.start_day, r.gone ? "  gone" : "",
                           r.opened       ? "  opened"
                           : r.audio_open ? "  could be heard"
                                          : "",
                           r.key_open && !r.audio_open ? "  key fits" : ""));
    print_field(out, "present",
                fmt::format("{} recordings, {} of them shredded since", scope.present, scope.gone_since));
    print_field(out, "details", fmt::format("of {} could be read", scope.details_open));
    print_field(out, "voices", fmt::format("of {} could be heard", scope.audio_open));
    if (scope.exposed == Exposure::Kind::person) print_field(out, "review keys", fmt::format("fit {}", scope.key_open));
    if (scope.exposed == Exposure::Kind::person)
      print_field(out, "opened", fmt::format("{}, and {} exported", scope.opened, scope.exported));
    print_field(out, "people", std::to_string(scope.people));
    print_field(out, "keys",
                scope.first_epoch == scope.last_epoch
                    ? fmt::format("epoch {}", scope.first_epoch)
                    : fmt::format("epochs {} to {}", scope.first_epoch, scope.last_epoch));
    for (const auto& why : scope.because) out.line("  " + printable(why));
  }

  std::string from_, to_, exposed_;
  bool list_ = false;
};

}  // namespace

std::unique_ptr<Command> make_breach_open() { return std::make_unique<OpenBreach>(); }
std::unique_ptr<Command> make_breach_assess() { return std::make_unique<AssessBreach>(); }
std::unique_ptr<Command> make_breach_notify() { return std::make_unique<NotifyBreach>(); }
std::unique_ptr<Command> make_breach_note() { return std::make_unique<NoteBreach>(); }
std::unique_ptr<Command> make_breach_close() { return std::make_unique<CloseBreach>(); }
std::unique_ptr<Command> make_breach_show() { return std::make_unique<ShowBreach>(); }
std::unique_ptr<Command> make_breach_list() { return std::make_unique<ListBreaches>(); }
std::unique_ptr<Command> make_breach_scope() { return std::make_unique<ScopeBreach>(); }

}  // namespace callvault::cli
