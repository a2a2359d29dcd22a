#include "rights/people.h"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "base/civil_time.h"
#include "base/text.h"

namespace callvault::rights {
namespace {

constexpr std::chrono::minutes kSignedWithin{10};
constexpr std::string_view kPeopleRegister = "people";
constexpr std::size_t kMaxDutyBytes = std::size_t{64} * 1024;
constexpr std::size_t kMaxAcceptances = 32;  // of one person; the oldest go

const std::string& origin_of(const context::Context& context) { return context.log.journal().origin(); }

bool is_officer(const keys::PersonEntry& person) {
  return (person.roles & static_cast<std::uint8_t>(Role::officer)) != 0;
}

// What the codec would replace is not kept as it was signed.
bool is_utf8(const std::string& text) {
  const std::string written = nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  return nlohmann::json::parse(written, nullptr, false) == text;
}

}  // namespace

std::string_view to_word(Lapse lapse) {
  switch (lapse) {
    case Lapse::none:
      return "none";
    case Lapse::expired:
      return "expired";
    case Lapse::not_assessed:
      return "not_assessed";
    case Lapse::duties:
      return "duties";
  }
  return "none";
}

std::string acceptance_statement(std::string_view origin, std::string_view person, std::uint64_t number,
                                 std::string_view sha256, Time at) {
  return "callvault v1 duty acceptance\n" + std::string(origin) + "\n" + std::string(person) + "\n" +
         std::to_string(number) + "\n" + std::string(sha256) + "\n" + base::utc_text(at) + "\n";
}

Result<People> People::load(const context::Context& context) {
  People out;
  CALLVAULT_TRY_ASSIGN(const auto plain, context.state.read_register(std::string(kPeopleRegister)));
  if (!plain) return out;
  CALLVAULT_TRY_ASSIGN(out.content_, decode_people(base::as_text(*plain)));
  return out;
}

const PersonRecord& People::of(const std::string& name) const {
  static const PersonRecord kUnknown;
  const auto it = content_.people.find(name);
  return it == content_.people.end() ? kUnknown : it->second;
}

bool People::duties_in_force(const context::Context& context) const {
  return content_.duty.has_value() || context.config.people.require_duties;
}

const Acceptance* People::accepted(const context::Context& context, const keys::PersonEntry& person) const {
  if (!content_.duty) return nullptr;
  const auto& all = of(person.name).acceptances;
  const auto it = std::find_if(all.rbegin(), all.rend(), [&](const Acceptance& a) {
    return a.number == content_.duty->number && a.sha256 == content_.duty->sha256;
  });
  if (it == all.rend()) return nullptr;
  const std::string statement = acceptance_statement(origin_of(context), person.name, it->number, it->sha256, it->at);
  return crypto::verify(person.signing, base::as_bytes(statement), it->signature) ? &*it : nullptr;
}

Lapse People::lapse_of(const context::Context& context, const keys::PersonEntry& person) const {
  const PersonRecord& record = of(person.name);
  if (record.expires_at && context.now >= *record.expires_at) return Lapse::expired;
  if (!duties_in_force(context)) return Lapse::none;
  if (!record.assessed_at || (record.assessed_until && context.now >= *record.assessed_until))
    return Lapse::not_assessed;
  return accepted(context, person) != nullptr ? Lapse::none : Lapse::duties;
}

bool People::any_able_officer(const context::Context& context, std::string_view but) const {
  const auto& people = context.state.directory().people;
  return std::any_of(people.begin(), people.end(), [&](const auto& item) {
    const keys::PersonEntry& person = item.second;
    return item.first != but && !person.disabled && is_officer(person) && lapse_of(context, person) == Lapse::none;
  });
}

Result<void> People::set_duty(std::string text, Time now) {
  if (text.empty() || text.size() > kMaxDutyBytes) return fail(Errc::usage, "a duty text has 1 to 65,536 bytes");
  if (!is_utf8(text)) return fail(Errc::usage, "a duty text is of UTF-8");
  const std::uint64_t number = content_.duty ? content_.duty->number + 1 : 1;
  std::string hash = base::to_hex(crypto::sha256(base::as_bytes(text)));
  content_.duty = Duty{number, std::move(text), std::move(hash), now};
  return {};
}

Result<void> People::accept(const context::Context& context, const keys::PersonEntry& person,
                            const Acceptance& acceptance) {
  const Acceptance& a = acceptance;
  const bool present = content_.duty && a.number == content_.duty->number && a.sha256 == content_.duty->sha256;
  if (!present || a.at > context.now || context.now - a.at > kSignedWithin)
    return fail(Errc::refused, "the duty text was changed meanwhile: accept the one that is in force");
  const std::string statement = acceptance_statement(origin_of(context), person.name, a.number, a.sha256, a.at);
  if (!crypto::verify(person.signing, base::as_bytes(statement), a.signature))
    return fail(Errc::refused, "the acceptance is not signed by " + person.name);
  auto& all = edit(person.name).acceptances;
  if (all.size() >= kMaxAcceptances) all.erase(all.begin());
  all.push_back(a);
  return {};
}

Result<void> People::stage(context::Context& context) const {
  return context.state.stage_register(std::string(kPeopleRegister), base::as_bytes(encode_people(content_)));
}

}  // namespace callvault::rights
