#include "keys/service_policy_parser.h"

#include "base/text.h"

namespace callvault::keys {
namespace {

constexpr std::size_t kMaxAccountBytes = 64;
constexpr std::int64_t kMaxRate = 100'000;

Error bad_service(const std::string& what) { return fail(Errc::corrupt, "vault.toml: service." + what); }

Result<std::string> account_of(const toml::node& node, const std::string& key) {
  auto name = node.value_exact<std::string>();
  if (!name || name->empty() || name->size() > kMaxAccountBytes)
    return bad_service(key + " is not the name of an account");
  return std::move(*name);
}

Result<void> read_rate(const toml::table& table, const char* key, std::uint32_t& out) {
  if (!table[key]) return {};
  const auto value = table[key].value_exact<std::int64_t>();
  if (!value || *value < 1 || *value > kMaxRate) return bad_service(std::string(key) + " is not within 1 and 100000");
  out = static_cast<std::uint32_t>(*value);
  return {};
}

}  // namespace

Result<ServicePolicy> parse_service_policy(const toml::table& root) {
  ServicePolicy out;
  if (!root["service"]) return out;
  const toml::table* table = root["service"].as_table();
  if (table == nullptr) return fail(Errc::corrupt, "vault.toml: service is not a table");
  if ((*table)["socket"]) {
    const auto path = (*table)["socket"].value_exact<std::string>();
    if (!path || !path->starts_with('/')) return bad_service("socket is not an absolute path");
    out.socket = *path;
  }
  if ((*table)["people"]) {
    const toml::table* people = (*table)["people"].as_table();
    if (people == nullptr) return bad_service("people is not a table");
    for (const auto& [key, node] : *people) {
      const std::string name(key.str());
      if (!base::is_plain_name(name, kMaxAccountBytes)) return bad_service("people has a name that is not plain");
      CALLVAULT_TRY_ASSIGN(out.people[name], account_of(node, "people." + name));
    }
  }
  if ((*table)["may_record"]) {
    const toml::array* accounts = (*table)["may_record"].as_array();
    if (accounts == nullptr) return bad_service("may_record is not a list of accounts");
    for (const auto& node : *accounts) {
      CALLVAULT_TRY_ASSIGN(auto account, account_of(node, "may_record"));
      out.may_record.push_back(std::move(account));
    }
  }
  CALLVAULT_TRY(read_rate(*table, "connections", out.connections));
  CALLVAULT_TRY(read_rate(*table, "requests_per_minute", out.requests_per_minute));
  CALLVAULT_TRY(read_rate(*table, "openings_per_minute", out.openings_per_minute));
  CALLVAULT_TRY(read_rate(*table, "listings_per_minute", out.listings_per_minute));
  return out;
}

}  // namespace callvault::keys
