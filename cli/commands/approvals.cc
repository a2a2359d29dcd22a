// Dual control: `approve`, `approvals list`.
#include "callvault/approvals.h"

#include <fmt/format.h>

#include "cli/command.h"
#include "cli/commands/all.h"
#include "cli/table.h"
#include "cli/text.h"
#include "cli/time.h"

namespace callvault::cli {
namespace {

JsonObject approval_json(const Approval& approval, const Vault& vault) {
  JsonObject json;
  json.put("id", approval.id)
      .put("action", to_word(approval.action))
      .put("state", to_word(approval.state))
      .put_known("what", approval.what)
      .put("asked_by", approval.asked_by)
      .put("asked_at", vault.format_time(approval.asked_at))
      .put("stands_until", vault.format_time(approval.stands_until))
      .put_known("decided_by", approval.decided_by);
  return json;
}

class Approve final : public Command {
 public:
  void declare(Arguments& arguments) override {
    arguments.positional(id_, "APPROVAL", "its number: A-2026-0001");
    arguments.flag(reject_, "--reject", "it is not to be done");
  }

  Result<Exit> run(Session& session) override {
    Output& out = session.out();
    CALLVAULT_TRY_ASSIGN(Vault vault, session.open());
    CALLVAULT_TRY_ASSIGN(const Person officer, session.unlock(vault));
    CALLVAULT_TRY_ASSIGN(const Approval approval, approve(vault, officer, id_, !reject_));
    if (out.json()) {
      out.object(approval_json(approval, vault));
      return Exit::done;
    }
    out.line(fmt::format("{}: {} {}", approval.id, to_word(approval.state), printable(approval.what)));
    if (!reject_)
      out.note(fmt::format("{} may do it once, until {}", approval.asked_by, vault.format_time(approval.stands_until)));
    return Exit::done;
  }

 private:
  std::string id_;
  bool reject_ = false;
};

class ApprovalsList final : public Command {
 public:
  void declare(Arguments&) override {}

  Result<Exit> run(Session& session) override {
    Output& out = session.out();
    CALLVAULT_TRY_ASSIGN(Vault vault, session.open());
    CALLVAULT_TRY_ASSIGN(const Person person, session.unlock(vault));
    CALLVAULT_TRY_ASSIGN(const auto approvals, approvals_list(vault, person));
    Table table(out, {"approval", "state", "asked by", "stands until", "decided by", "what"});
    for (const auto& a : approvals) {
      if (out.json())
        out.object(approval_json(a, vault));
      else
        table.add({{a.id},
                   {std::string(to_word(a.state)), a.state == ApprovalState::asked ? "33" : ""},
                   {printable(a.asked_by)},
                   {civil(vault.format_time(a.stands_until))},
                   {printable(a.decided_by)},
                   {printable(a.what.empty() ? to_word(a.action) : a.what)}});
    }
    return Exit::done;
  }
};

}  // namespace

std::unique_ptr<Command> make_approve() { return std::make_unique<Approve>(); }
std::unique_ptr<Command> make_approvals_list() { return std::make_unique<ApprovalsList>(); }

}  // namespace callvault::cli
