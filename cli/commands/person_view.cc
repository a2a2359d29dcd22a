#include "cli/commands/person_view.h"

namespace callvault::cli {

std::vector<std::string> role_words(const std::vector<Role>& roles) {
  std::vector<std::string> words;
  words.reserve(roles.size());
  for (const auto role : roles) words.emplace_back(to_word(role));
  return words;
}

std::vector<std::string> purpose_words(const std::vector<Purpose>& purposes) {
  std::vector<std::string> words;
  words.reserve(purposes.size());
  for (const auto purpose : purposes) words.emplace_back(to_word(purpose));
  return words;
}

std::string state_words(const PersonInfo& info) {
  if (info.state == "not_assessed") return "not assessed";
  return info.state == "duties" ? "duties not accepted" : info.state;
}

JsonObject person_json(const PersonInfo& info, const Vault& vault) {
  JsonObject json;
  const auto when = [&](const std::optional<Time>& time) {
    return time ? std::optional(vault.format_time(*time)) : std::nullopt;
  };
  json.put("name", info.name)
      .put("roles", role_words(info.roles))
      .put("disabled", info.disabled)
      .put("since", vault.format_time(info.since))
      .put("state", info.state)
      .put("purposes", purpose_words(info.purposes))
      .put("expires_at", when(info.expires_at))
      .put("assessed_at", when(info.assessed_at))
      .put("assessed_until", when(info.assessed_until))
      .put("duty", info.duty_number == 0 ? std::nullopt : std::optional(info.duty_number))
      .put("accepted", info.accepted)
      .put("accepted_duty", info.accepted_number == 0 ? std::nullopt : std::optional(info.accepted_number))
      .put("accepted_at", when(info.accepted_at));
  return json;
}

}  // namespace callvault::cli
