#include "cli/commands/person_view.h"

namespace callvault::cli {

std::vector<std::string> role_words(const std::vector<Role>& roles) {
  std::vector<std::string> words;
  words.reserve(roles.size());
  for (const auto role : roles) words.emplace_back(to_word(role));
  return words;
}

JsonObject person_json(const PersonInfo& info, const Vault& vault) {
  JsonObject json;
  json.put("name", info.name)
      .put("roles", role_words(info.roles))
      .put("disabled", info.disabled)
      .put("since", vault.format_time(info.since));
  return json;
}

}  // namespace callvault::cli
