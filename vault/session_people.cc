// Who may stay: the checks that every verb makes in its session, by the register of people and the directory.
#include <algorithm>

#include "base/civil_time.h"
#include "rights/people.h"
#include "session.h"

namespace callvault {
namespace {

bool has_role(std::uint8_t roles, std::initializer_list<Role> wanted) {
  return std::any_of(wanted.begin(), wanted.end(),
                     [&](Role role) { return (roles & static_cast<std::uint8_t>(role)) != 0; });
}

std::string tell(rights::Lapse lapse, const rights::People& people, const keys::PersonEntry& person,
                 const context::Context& context) {
  switch (lapse) {
    case rights::Lapse::expired:
      return "the access of " + person.name + " ended on " +
             context.zone.rfc3339(people.of(person.name).expires_at.value_or(Time{}));
    case rights::Lapse::not_assessed:
      return person.name + " has no assessment that stands";
    case rights::Lapse::duties:
      if (!people.duty()) return "no duty text is set, and policy.require_duties of vault.toml wants one";
      return person.name + " has not accepted the duty text that is in force";
    case rights::Lapse::none:
      break;
  }
  return {};
}

}  // namespace

Result<bool> is_review_due(const context::Context& context) {
  const std::string& date = context.config.people.review_date;
  if (date.empty()) return false;
  CALLVAULT_TRY_ASSIGN(const std::int32_t day, base::parse_day(date));
  return context.zone.civil_day(context.now) >= day;
}

Result<bool> second_officer_is_able(const context::Context& context) {
  if (context.config.people.dual_control.empty()) return true;
  CALLVAULT_TRY_ASSIGN(const auto people, rights::People::load(context));
  const auto& known = context.state.directory().people;
  const auto able = std::count_if(known.begin(), known.end(), [&](const auto& item) {
    return !item.second.disabled && has_role(item.second.roles, {Role::officer}) &&
           people.lapse_of(context, item.second) == rights::Lapse::none;
  });
  return able >= 2;
}

Result<void> Session::refuse(std::string_view verb, std::string_view result, std::string message) {
  CALLVAULT_TRY(log_->append("refused", {{"verb", std::string(verb)}, {"result", std::string(result)}}));
  return fail(Errc::refused, std::move(message));
}

Result<void> Session::recognise(const Person& person, std::string_view verb) {
  const auto& people = directory().people;
  const auto it = people.find(person.name());
  const auto& mine = person.impl().identity.public_part();
  if (it == people.end() || it->second.signing != mine.signing || it->second.box != mine.box)
    return refuse(verb, "stranger", "people/" + person.name() + " is not the identity this vault knows by that name");
  if (it->second.disabled) return refuse(verb, "disabled", person.name() + " is disabled");
  return {};
}

Result<void> Session::admit(const Person& person, std::string_view verb) {
  CALLVAULT_TRY(recognise(person, verb));
  CALLVAULT_TRY_ASSIGN(const auto people, rights::People::load(*context_));
  const auto& entry = directory().people.at(person.name());
  const auto lapse = people.lapse_of(*context_, entry);
  if (lapse == rights::Lapse::none) return {};
  return refuse(verb, to_word(lapse), tell(lapse, people, entry, *context_));
}

Result<void> Session::require(const Person& person, std::initializer_list<Role> roles, std::string_view verb) {
  CALLVAULT_TRY(admit(person, verb));
  if (has_role(directory().people.at(person.name()).roles, roles)) return {};
  return refuse(verb, "role", person.name() + " has no role that allows " + std::string(verb));
}

Result<void> Session::require_in_charge(const Person& person, std::string_view verb) {
  CALLVAULT_TRY(recognise(person, verb));
  CALLVAULT_TRY_ASSIGN(const auto people, rights::People::load(*context_));
  const bool officer = has_role(directory().people.at(person.name()).roles, {Role::officer});
  if (officer && !people.any_able_officer(*context_)) return {};
  return require(person, {Role::officer}, verb);
}

}  // namespace callvault
