#include "rights/people_codec.h"

#include <algorithm>

#include "base/text.h"
#include "context/json_fields.h"

namespace callvault::rights {
namespace {

constexpr int kPeopleVersion = 1;

Error damaged_people() { return fail(Errc::corrupt, "the register of people is damaged"); }

nlohmann::json json_of(const PersonRecord& record) {
  auto acceptances = nlohmann::json::array();
  for (const auto& a : record.acceptances)
    acceptances.push_back({{"number", a.number},
                           {"sha256", a.sha256},
                           {"at", base::utc_text(a.at)},
                           {"signature", base::to_base64(a.signature)}});
  return {{"assessed_at", context::known_time_text(record.assessed_at)},
          {"assessed_until", context::known_time_text(record.assessed_until)},
          {"expires_at", context::known_time_text(record.expires_at)},
          {"acceptances", std::move(acceptances)}};
}

Result<PersonRecord> person_of(const nlohmann::json& json) {
  context::JsonFields f(json);
  PersonRecord out;
  out.assessed_at = f.known_time("assessed_at");
  out.assessed_until = f.known_time("assessed_until");
  out.expires_at = f.known_time("expires_at");
  if (!f.ok() || !json.contains("acceptances") || !json["acceptances"].is_array()) return damaged_people();
  for (const auto& item : json["acceptances"]) {
    context::JsonFields a(item);
    Acceptance one{a.number("number"), a.text("sha256"), a.time("at"), {}};
    const auto raw = base::from_base64(a.text("signature"));
    if (!a.ok() || !raw || raw->size() != one.signature.size()) return damaged_people();
    std::copy(raw->begin(), raw->end(), one.signature.begin());
    out.acceptances.push_back(std::move(one));
  }
  return out;
}

}  // namespace

std::string encode_people(const PeopleContent& content) {
  auto people = nlohmann::json::object();
  for (const auto& [name, record] : content.people) people[name] = json_of(record);
  nlohmann::json out{{"version", kPeopleVersion}, {"people", std::move(people)}, {"duty", nullptr}};
  if (content.duty)
    out["duty"] = {{"number", content.duty->number},
                   {"text", content.duty->text},
                   {"sha256", content.duty->sha256},
                   {"set_at", base::utc_text(content.duty->set_at)}};
  return out.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

Result<PeopleContent> decode_people(std::string_view text) {
  const auto json = nlohmann::json::parse(text, nullptr, false);
  if (!json.is_object() || !json.contains("version") || !json["version"].is_number_unsigned()) return damaged_people();
  if (json["version"].get<std::uint64_t>() > kPeopleVersion)
    return fail(Errc::newer_version, "the register of people is of a newer version");
  if (!json.contains("people") || !json["people"].is_object() || !json.contains("duty")) return damaged_people();
  PeopleContent out;
  if (!json["duty"].is_null()) {
    context::JsonFields f(json["duty"]);
    out.duty = Duty{f.number("number"), f.text("text"), f.text("sha256"), f.time("set_at")};
    if (!f.ok()) return damaged_people();
  }
  for (const auto& [name, record] : json["people"].items()) {
    if (!base::is_plain_name(name, 64)) return damaged_people();
    CALLVAULT_TRY_ASSIGN(out.people[name], person_of(record));
  }
  return out;
}

}  // namespace callvault::rights
