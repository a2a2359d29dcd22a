// Assessment, duties, and the end of a person's access: what a person needs in order to act.
#include <algorithm>

#include "callvault/people.h"
#include "context/commit.h"
#include "identity_parts.h"
#include "over_socket.h"
#include "person_info.h"
#include "subject.h"

namespace callvault {
namespace {

constexpr Role kAllRoles[] = {Role::officer, Role::reviewer, Role::evaluator, Role::auditor, Role::operator_};

// The person whom an officer in charge changes. Nobody lengthens their own access, unless nobody else could.
Result<const keys::PersonEntry*> person_in_charge_of(Session& session, const Person& officer, std::string_view name,
                                                     std::string_view verb) {
  CALLVAULT_TRY(session.require_in_charge(officer, verb));
  const auto& people = session.directory().people;
  const auto it = people.find(std::string(name));
  const auto no = [&](const Error& why) { return refuse(session.context(), verb, {}, why); };
  if (it == people.end()) return no(fail(Errc::not_found, "no person called " + std::string(name)));
  if (it->second.disabled) return no(fail(Errc::refused, std::string(name) + " is disabled"));
  if (name != officer.name()) return &it->second;
  CALLVAULT_TRY_ASSIGN(const auto known, rights::People::load(session.context()));
  if (known.any_able_officer(session.context(), name))
    return no(fail(Errc::refused, "another officer has to do that for " + std::string(name)));
  return &it->second;
}

}  // namespace

PersonInfo person_info(const context::Context& context, const rights::People& people, const keys::PersonEntry& entry) {
  PersonInfo out{entry.name, {}, entry.disabled, entry.since};
  for (const Role role : kAllRoles)
    if ((entry.roles & static_cast<std::uint8_t>(role)) != 0) out.roles.push_back(role);
  const auto purposes = context.config.people.purposes_of(entry.roles);
  out.purposes.assign(purposes.begin(), purposes.end());
  const rights::PersonRecord& record = people.of(entry.name);
  out.expires_at = record.expires_at;
  out.assessed_at = record.assessed_at;
  out.assessed_until = record.assessed_until;
  out.duty_number = people.duty() ? people.duty()->number : 0;
  out.accepted = people.accepted(context, entry) != nullptr;
  if (!record.acceptances.empty()) {
    out.accepted_number = record.acceptances.back().number;
    out.accepted_at = record.acceptances.back().at;
  }
  const auto lapse = people.lapse_of(context, entry);
  out.state = lapse == rights::Lapse::none ? "active" : std::string(to_word(lapse));
  if (entry.disabled) out.state = "disabled";
  return out;
}

Result<PersonInfo> person_assess(Vault& vault, const Person& officer, const AssessOptions& options) {
  if (vault.impl().remote) return signed_call<PersonInfo>(vault.impl(), "person_assess", officer, options);
  CALLVAULT_TRY_ASSIGN(const auto session, Session::begin(vault.impl(), Access::change, officer.name()));
  CALLVAULT_TRY_ASSIGN(const keys::PersonEntry* entry,
                       person_in_charge_of(*session, officer, options.name, "person_assess"));
  auto& context = session->context();
  const Time date = options.date.value_or(context.now);
  if (date > context.now) return fail(Errc::usage, "the assessment would lie ahead");
  if (options.until && *options.until <= context.now) return fail(Errc::usage, "the assessment would be over already");
  CALLVAULT_TRY_ASSIGN(auto people, rights::People::load(context));
  people.edit(entry->name).assessed_at = date;
  people.edit(entry->name).assessed_until = options.until;
  CALLVAULT_TRY(people.stage(context));
  CALLVAULT_TRY(context::commit_about(context, "person_assessed", entry->name));
  return person_info(context, people, *entry);
}

Result<RingWish> prepare_renewal(Vault& vault, const Person& officer, std::string_view name) {
  CALLVAULT_TRY_ASSIGN(const auto session, Session::begin(vault.impl(), Access::look_up, officer.name()));
  CALLVAULT_TRY_ASSIGN(const keys::PersonEntry* entry, person_in_charge_of(*session, officer, name, "person_renew"));
  if (!holds_review_keys(entry->roles)) return RingWish{};
  return ring_wish(vault.impl(), session->directory(), entry->name);
}

Result<PersonInfo> renew_person(Vault& vault, const Person& officer, std::string_view name, std::optional<Time> until,
                                const RingGift& gift) {
  CALLVAULT_TRY_ASSIGN(const auto session, Session::begin(vault.impl(), Access::change, officer.name()));
  CALLVAULT_TRY_ASSIGN(const keys::PersonEntry* entry, person_in_charge_of(*session, officer, name, "person_renew"));
  auto& context = session->context();
  if (until && *until <= context.now) return fail(Errc::usage, "their access would be over already");
  if (holds_review_keys(entry->roles)) {
    // An identity that came back from a backup lacks the review keys drawn since.
    CALLVAULT_TRY_ASSIGN(const auto file, read_identity(context.layout, entry->name));
    CALLVAULT_TRY_ASSIGN(const auto wish, ring_wish(vault.impl(), session->directory(), entry->name));
    CALLVAULT_TRY_ASSIGN(const auto whole, with_grants(wish, gift, entry->name, file));
    if (whole != file) CALLVAULT_TRY(os::replace_file(context.layout.people() / entry->name, whole));
  }
  CALLVAULT_TRY_ASSIGN(auto people, rights::People::load(context));
  people.edit(entry->name).expires_at = until;
  CALLVAULT_TRY(people.stage(context));
  CALLVAULT_TRY(context::commit_about(context, "person_renewed", entry->name));
  return person_info(context, people, *entry);
}

Result<PersonInfo> person_renew(Vault& vault, const Person& officer, std::string_view name, std::optional<Time> until) {
  const auto& impl = vault.impl();
  CALLVAULT_TRY_ASSIGN(const auto wish, impl.remote ? signed_call<RingWish>(impl, "person_renew_prepare", officer, name)
                                                    : prepare_renewal(vault, officer, name));
  CALLVAULT_TRY_ASSIGN(const auto gift, fulfil(wish, officer));
  if (impl.remote) return signed_call<PersonInfo>(impl, "person_renew", officer, name, until, gift);
  return renew_person(vault, officer, name, until, gift);
}

Result<DutyToAccept> prepare_acceptance(Vault& vault, const Person& person) {
  CALLVAULT_TRY_ASSIGN(const auto session, Session::begin(vault.impl(), Access::look_up, person.name()));
  CALLVAULT_TRY(session->recognise(person, "person_accept"));
  CALLVAULT_TRY_ASSIGN(const auto people, rights::People::load(session->context()));
  if (!people.duty()) return fail(Errc::not_found, "no duty text is set");
  return DutyToAccept{session->context().log.journal().origin(), people.duty()->number, people.duty()->sha256,
                      session->context().now};
}

Result<PersonInfo> take_acceptance(Vault& vault, const Person& person, const DutyToAccept& duty,
                                   const base::Bytes& signature) {
  CALLVAULT_TRY_ASSIGN(const auto session, Session::begin(vault.impl(), Access::change, person.name()));
  CALLVAULT_TRY(session->recognise(person, "person_accept"));
  auto& context = session->context();
  CALLVAULT_TRY_ASSIGN(auto people, rights::People::load(context));
  rights::Acceptance acceptance{duty.number, duty.sha256, duty.at, {}};
  if (signature.size() == acceptance.signature.size()) std::ranges::copy(signature, acceptance.signature.begin());
  const keys::PersonEntry& entry = session->directory().people.at(person.name());
  CALLVAULT_TRY(people.accept(context, entry, acceptance));
  CALLVAULT_TRY(people.stage(context));
  CALLVAULT_TRY(
      context::commit_journalled(context, "duty_accepted", {{"number", std::to_string(people.duty()->number)}}));
  return person_info(context, people, entry);
}

Result<PersonInfo> person_accept(Vault& vault, const Person& person) {
  const auto& impl = vault.impl();
  CALLVAULT_TRY_ASSIGN(const auto duty, impl.remote ? signed_call<DutyToAccept>(impl, "person_accept_prepare", person)
                                                    : prepare_acceptance(vault, person));
  const auto statement = rights::acceptance_statement(duty.origin, person.name(), duty.number, duty.sha256, duty.at);
  const auto signature = base::to_bytes(crypto::sign(person.impl().identity.signing_seed(), base::as_bytes(statement)));
  if (impl.remote) return signed_call<PersonInfo>(impl, "person_accept", person, duty, signature);
  return take_acceptance(vault, person, duty, signature);
}

Result<Duty> duty_set(Vault& vault, const Person& officer, std::string text) {
  if (vault.impl().remote) return signed_call<Duty>(vault.impl(), "duty_set", officer, text);
  CALLVAULT_TRY_ASSIGN(const auto session, Session::begin(vault.impl(), Access::change, officer.name()));
  CALLVAULT_TRY(session->require_in_charge(officer, "duty_set"));
  auto& context = session->context();
  CALLVAULT_TRY_ASSIGN(auto people, rights::People::load(context));
  CALLVAULT_TRY(people.set_duty(std::move(text), context.now));
  const Duty& duty = *people.duty();
  CALLVAULT_TRY(people.stage(context));
  CALLVAULT_TRY(context::commit_journalled(context, "duty_set",
                                           {{"number", std::to_string(duty.number)}, {"hash", duty.sha256}}));
  return duty;
}

Result<Duty> duty_show(Vault& vault, const Person& person) {
  if (vault.impl().remote) return signed_call<Duty>(vault.impl(), "duty_show", person);
  CALLVAULT_TRY_ASSIGN(const auto session, Session::begin(vault.impl(), Access::look_up, person.name()));
  CALLVAULT_TRY(session->recognise(person, "duty_show"));
  CALLVAULT_TRY_ASSIGN(const auto people, rights::People::load(session->context()));
  if (!people.duty()) return fail(Errc::not_found, "no duty text is set");
  return *people.duty();
}

}  // namespace callvault
