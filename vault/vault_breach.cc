// The register of breaches: what happened, and by when the authority is to know.
#include "callvault/breach.h"

#include "context/commit.h"
#include "over_socket.h"
#include "rights/breaches.h"
#include "session.h"

namespace callvault {
namespace {

// Finds the breach, lets `change` alter it, notes the step, and makes it durable.
template <typename Change>
Result<Breach> change_breach(Vault& vault, const Person& person, std::string_view id, const std::string& what,
                             const std::string& text, const Change& change) {
  CALLVAULT_TRY_ASSIGN(const auto session, Session::begin(vault.impl(), Access::change, person.name()));
  CALLVAULT_TRY(session->require(person, {Role::officer}, "breach"));
  auto& context = session->context();
  CALLVAULT_TRY_ASSIGN(auto breaches, rights::Breaches::load(context));
  const auto found = breaches.find(id);
  if (!found) {
    CALLVAULT_TRY(context.log.append("refused", {{"verb", "breach_" + what}, {"result", "not_found"}}));
    return found.error();
  }
  Breach* const breach = *found;
  std::map<std::string, std::string> facts{{"breach", breach->id}};
  auto changed = change(context, *breach, facts);
  if (!changed) {
    CALLVAULT_TRY(context.log.append("refused", {{"verb", "breach_" + what},
                                                 {"breach", breach->id},
                                                 {"result", std::string(errc_name(changed.error().code))}}));
    return std::move(changed).error();
  }
  breach->history.push_back({context.now, person.name(), what, text});
  breach->overdue = rights::is_overdue(*breach, context.now);
  const Breach out = *breach;
  CALLVAULT_TRY(breaches.stage(context));
  CALLVAULT_TRY(context::commit_journalled(context, "breach_" + what, std::move(facts)));
  return out;
}

}  // namespace

Result<Breach> breach_open(Vault& vault, const Person& person, const BreachOptions& options) {
  if (vault.impl().remote) return signed_call<Breach>(vault.impl(), "breach_open", person, options);
  CALLVAULT_TRY_ASSIGN(const auto session, Session::begin(vault.impl(), Access::change, person.name()));
  CALLVAULT_TRY(session->require(person, {Role::officer}, "breach"));
  auto& context = session->context();
  CALLVAULT_TRY_ASSIGN(auto breaches, rights::Breaches::load(context));
  CALLVAULT_TRY_ASSIGN(const Breach* made, breaches.open(context, options));
  const Breach out = *made;
  CALLVAULT_TRY(breaches.stage(context));
  CALLVAULT_TRY(context::commit_journalled(context, "breach_opened",
                                           {{"breach", out.id}, {"nature", std::string(to_word(out.nature))}}));
  return out;
}

Result<Breach> breach_assess(Vault& vault, const Person& person, std::string_view id, BreachRisk risk,
                             const std::string& reason) {
  if (vault.impl().remote) return signed_call<Breach>(vault.impl(), "breach_assess", person, id, risk, reason);
  return change_breach(vault, person, id, "assessed", reason, [&](auto&, Breach& b, auto& facts) -> Result<void> {
    facts.emplace("risk", to_word(risk));
    return rights::assess(b, risk, reason);
  });
}

Result<Breach> breach_notify(Vault& vault, const Person& person, std::string_view id, const BreachNotice& notice) {
  if (vault.impl().remote) return signed_call<Breach>(vault.impl(), "breach_notify", person, id, notice);
  std::string text = notice.reference;
  if (!notice.reason.empty()) text += (text.empty() ? "" : "; ") + std::string("delay: ") + notice.reason;
  return change_breach(vault, person, id, "notified_" + std::string(to_word(notice.audience)), text,
                       [&](auto& context, Breach& b, auto&) { return rights::notify(b, notice, context.now); });
}

Result<Breach> breach_note(Vault& vault, const Person& person, std::string_view id, const std::string& text) {
  if (vault.impl().remote) return signed_call<Breach>(vault.impl(), "breach_note", person, id, text);
  return change_breach(vault, person, id, "noted", text,
                       [&](auto&, Breach& b, auto&) { return rights::note(b, text); });
}

Result<Breach> breach_close(Vault& vault, const Person& person, std::string_view id, const std::string& note) {
  if (vault.impl().remote) return signed_call<Breach>(vault.impl(), "breach_close", person, id, note);
  return change_breach(vault, person, id, "closed", note,
                       [&](auto& context, Breach& b, auto&) { return rights::close(b, note, context.now); });
}

Result<Breach> breach_show(Vault& vault, const Person& person, std::string_view id) {
  if (vault.impl().remote) return signed_call<Breach>(vault.impl(), "breach_show", person, id);
  CALLVAULT_TRY_ASSIGN(const auto session, Session::begin(vault.impl(), Access::look_up, person.name()));
  CALLVAULT_TRY(session->require(person, {Role::officer, Role::auditor}, "breach"));
  CALLVAULT_TRY_ASSIGN(auto breaches, rights::Breaches::load(session->context()));
  CALLVAULT_TRY_ASSIGN(const Breach* breach, breaches.find(id));
  CALLVAULT_TRY(session->context().log.append("breach_shown", {{"breach", breach->id}}));
  return *breach;
}

Result<std::vector<Breach>> breach_list(Vault& vault, const Person& person) {
  if (vault.impl().remote) return signed_call<std::vector<Breach>>(vault.impl(), "breach_list", person);
  CALLVAULT_TRY_ASSIGN(const auto session, Session::begin(vault.impl(), Access::look_up, person.name()));
  CALLVAULT_TRY(session->require(person, {Role::officer, Role::auditor}, "breach"));
  CALLVAULT_TRY_ASSIGN(const auto breaches, rights::Breaches::load(session->context()));
  CALLVAULT_TRY(session->context().log.append("breaches_listed"));
  return breaches.all();
}

}  // namespace callvault
