// The commands of the group `request`.
#include <fmt/format.h>

#include "callvault/disclosure.h"
#include "cli/command.h"
#include "cli/commands/all.h"
#include "cli/commands/request_view.h"
#include "cli/table.h"
#include "cli/text.h"
#include "cli/time.h"

namespace callvault::cli {
namespace {

Exit tell(const Request& request, const Vault& vault, Output& out) {
  if (out.json())
    out.object(request_json(request, vault));
  else
    print_request(request, vault, out);
  return Exit::done;
}

class OpenRequest final : public Command {
 public:
  void declare(Arguments& arguments) override {
    arguments.required(kind_, "--kind", "K",
                       "inform, access, copy, rectify, object, restrict, erase, portability or withdraw");
    arguments.required(channel_, "--channel", "C", "post, email, fax, visit, phone or web");
    arguments.option(received_, "--received", "T", "when it came in; the deadline counts from it (default now)");
    arguments.option(name_, "--name", "TEXT", "who asks");
    arguments.options(numbers_, "--number", "N", "a telephone number it is about; may be repeated");
    arguments.option(identity_, "--identity", "TEXT", "how their identity was checked");
    arguments.option(hash_, "--document-hash", "HEX", "SHA-256 of the letter or mail");
    arguments.option(requester_, "--requester", "P",
                     "which party of the calls asks: caller or agent; needed for copies");
    arguments.option(note_, "--note", "TEXT", "anything else");
  }

  Result<Exit> run(Session& session) override {
    RequestOptions options;
    CALLVAULT_TRY_ASSIGN(options.kind, about("--kind", parse_request_kind(kind_)));
    CALLVAULT_TRY_ASSIGN(options.channel, about("--channel", parse_request_channel(channel_)));
    if (requester_) {
      CALLVAULT_TRY_ASSIGN(options.requester, about("--requester", parse_party(*requester_)));
    }
    options.name = name_.value_or("");
    options.numbers = numbers_;
    options.identity = identity_.value_or("");
    options.document_hash = hash_.value_or("");
    options.note = note_.value_or("");
    CALLVAULT_TRY_ASSIGN(Vault vault, session.open());
    if (received_) {
      CALLVAULT_TRY_ASSIGN(options.received, about("--received", vault.parse_time(*received_)));
    }
    CALLVAULT_TRY_ASSIGN(const Person person, session.unlock(vault));
    CALLVAULT_TRY_ASSIGN(const Request request, vault.request_open(person, options));
    return tell(request, vault, session.out());
  }

 private:
  std::string kind_, channel_;
  std::vector<std::string> numbers_;
  std::optional<std::string> received_, name_, identity_, hash_, note_, requester_;
};

// What changes one request.
class ChangeRequest : public Command {
 public:
  void declare(Arguments& arguments) override {
    arguments.positional(id_, "REQUEST", "its number: R-2026-0001");
    declare_more(arguments);
  }

  Result<Exit> run(Session& session) override {
    CALLVAULT_TRY(prepare());
    CALLVAULT_TRY_ASSIGN(Vault vault, session.open());
    CALLVAULT_TRY_ASSIGN(const Person person, session.unlock(vault));
    CALLVAULT_TRY_ASSIGN(const Request request, apply(vault, person));
    const Exit exit = tell(request, vault, session.out());
    if (request.decision == RequestDecision::refused && request.state == RequestState::decided)
      tell_contacts(vault.contacts(), session.out());
    return exit;
  }

 protected:
  virtual void declare_more(Arguments&) {}
  virtual Result<void> prepare() { return {}; }
  virtual Result<Request> apply(Vault& vault, const Person& person) = 0;

  std::string id_;

 private:
  // Art. 12(4): who is refused is told why, and where to complain.
  static void tell_contacts(const Contacts& contacts, Output& out) {
    if (contacts.authority.empty())
      return out.warn("a refusal names the supervisory authority: set contact.authority in vault.toml");
    out.note("to be told with the refusal: its reasons; complaint to " + contacts.authority +
             (contacts.dpo.empty() ? "" : "; data protection officer " + contacts.dpo));
  }
};

class AssignRequest final : public ChangeRequest {
  void declare_more(Arguments& arguments) override {
    arguments.required(to_, "--to", "NAME", "a person of this vault");
  }
  Result<Request> apply(Vault& vault, const Person& person) override { return vault.request_assign(person, id_, to_); }
  std::string to_;
};

class DecideRequest final : public ChangeRequest {
  void declare_more(Arguments& arguments) override {
    arguments.required(decision_, "--decision", "D", "granted, partly or refused");
    arguments.option(reason_, "--reason", "TEXT", "why; needed unless it is granted");
  }
  Result<void> prepare() override {
    CALLVAULT_TRY_ASSIGN(parsed_, about("--decision", parse_request_decision(decision_)));
    return {};
  }
  Result<Request> apply(Vault& vault, const Person& person) override {
    return vault.request_decide(person, id_, parsed_, reason_.value_or(""));
  }
  std::string decision_;
  std::optional<std::string> reason_;
  RequestDecision parsed_ = RequestDecision::granted;
};

class ExtendRequest final : public ChangeRequest {
  void declare_more(Arguments& arguments) override {
    arguments.required(reason_, "--reason", "TEXT", "why it needs longer; the person is told");
  }
  Result<Request> apply(Vault& vault, const Person& person) override {
    return vault.request_extend(person, id_, reason_);
  }
  std::string reason_;
};

class NotePartyAnswer final : public ChangeRequest {
  void declare_more(Arguments& arguments) override {
    arguments.required(party_, "--party", "P", "caller or agent");
    arguments.required(answer_, "--answer", "A",
                       "asked, yes, no or silent; or requester: it is this party who asks for the copy");
    arguments.option(recording_, "--recording", "ID", "of which call; needed unless the answer is requester");
    arguments.option(evidence_, "--evidence", "TEXT", "how it is known");
  }
  Result<void> prepare() override {
    CALLVAULT_TRY_ASSIGN(options_.party, about("--party", parse_party(party_)));
    asks_ = answer_ == "requester";
    if (asks_ && (recording_ || evidence_))
      return fail(Errc::usage,
                  "--answer requester is about the whole request: it takes neither recording nor evidence");
    if (asks_) return {};
    CALLVAULT_TRY_ASSIGN(options_.answer, about("--answer", parse_copy_answer(answer_)));
    if (!recording_) return fail(Errc::usage, "--recording is required");
    return {};
  }
  Result<Request> apply(Vault& vault, const Person& person) override {
    if (asks_) return request_requester(vault, person, id_, options_.party);
    options_.request = id_;
    options_.evidence = evidence_.value_or("");
    CALLVAULT_TRY_ASSIGN(options_.recording, vault.resolve(*recording_));
    return request_answer(vault, person, options_);
  }
  std::string party_, answer_;
  std::optional<std::string> recording_, evidence_;
  AnswerOptions options_;
  bool asks_ = false;
};

class CloseRequest final : public ChangeRequest {
  void declare_more(Arguments& arguments) override { arguments.option(note_, "--note", "TEXT", "how it ended"); }
  Result<Request> apply(Vault& vault, const Person& person) override {
    return vault.request_close(person, id_, note_.value_or(""));
  }
  std::optional<std::string> note_;
};

class ShowRequest final : public ChangeRequest {
  Result<Request> apply(Vault& vault, const Person& person) override { return vault.request_show(person, id_); }
};

class ListRequest final : public Command {
 public:
  void declare(Arguments& arguments) override {
    arguments.option(state_, "--state", "S", "open, decided or closed");
    arguments.flag(overdue_, "--overdue", "only those past their deadline");
  }

  Result<Exit> run(Session& session) override {
    Output& out = session.out();
    std::optional<RequestState> state;
    if (state_) {
      CALLVAULT_TRY_ASSIGN(state, about("--state", parse_request_state(*state_)));
    }
    CALLVAULT_TRY_ASSIGN(Vault vault, session.open());
    CALLVAULT_TRY_ASSIGN(const Person person, session.unlock(vault));
    CALLVAULT_TRY_ASSIGN(const auto requests, vault.request_list(person, state, overdue_));
    Table table(out, {"request", "kind", "state", "received", "due", "assigned"});
    for (const auto& r : requests) {
      if (out.json())
        out.object(request_json(r, vault));
      else
        table.add({{r.id},
                   {std::string(to_word(r.kind))},
                   {std::string(to_word(r.state)), r.overdue ? "33" : ""},
                   {civil(vault.format_time(r.received))},
                   {civil(vault.format_time(r.due)) + (r.overdue ? " overdue" : "")},
                   {printable(r.assigned)}});
    }
    return Exit::done;
  }

 private:
  std::optional<std::string> state_;
  bool overdue_ = false;
};

}  // namespace

std::unique_ptr<Command> make_request_open() { return std::make_unique<OpenRequest>(); }
std::unique_ptr<Command> make_request_assign() { return std::make_unique<AssignRequest>(); }
std::unique_ptr<Command> make_request_decide() { return std::make_unique<DecideRequest>(); }
std::unique_ptr<Command> make_request_extend() { return std::make_unique<ExtendRequest>(); }
std::unique_ptr<Command> make_request_party() { return std::make_unique<NotePartyAnswer>(); }
std::unique_ptr<Command> make_request_close() { return std::make_unique<CloseRequest>(); }
std::unique_ptr<Command> make_request_show() { return std::make_unique<ShowRequest>(); }
std::unique_ptr<Command> make_request_list() { return std::make_unique<ListRequest>(); }

}  // namespace callvault::cli
