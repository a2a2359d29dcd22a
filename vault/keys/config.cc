#include "keys/config.h"

#include <toml++/toml.h>

#include <algorithm>
#include <sstream>

#include "base/bytes.h"
#include "base/civil_time.h"
#include "keys/people_policy_parser.h"
#include "keys/service_policy_parser.h"

namespace callvault::keys {
namespace {

constexpr std::uint64_t kMaxConfigBytes = 256 * 1024;
constexpr std::size_t kMaxClassName = 32;
constexpr std::int64_t kMaxGraceHours = 24 * 365;
// Each dot may nest a table (a.b.c = 1), and the parser's tables end by recursion: a file of dots would end the
// process.
constexpr std::ptrdiff_t kMaxDots = 4096;

Error bad(const std::string& what) { return fail(Errc::corrupt, "vault.toml: " + what); }

Result<std::string> text_at(const toml::table& table, std::string_view section, std::string_view key) {
  const auto value = table[section][key].value<std::string>();
  if (!value) return bad(std::string(section) + "." + std::string(key) + " is missing or not a text");
  return *value;
}

// The same as in a recording's metadata, so that every class can be recorded in.
bool is_class_name(std::string_view name) {
  return !name.empty() && name.size() <= kMaxClassName &&
         name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") == std::string_view::npos;
}

Result<Location> location_of(const toml::table& table) {
  Location out;
  for (const auto& [key, value] : {std::pair{"vault", &out.vault}, std::pair{"keeper", &out.keeper}}) {
    if (!table["location"][key]) continue;
    CALLVAULT_TRY_ASSIGN(*value, text_at(table, "location", key));
  }
  if (table["location"]["host_file"]) {
    CALLVAULT_TRY_ASSIGN(out.host_file, text_at(table, "location", "host_file"));
  }
  if (!table["location"]["allowed"]) return out;
  const toml::array* allowed = table["location"]["allowed"].as_array();
  if (allowed == nullptr || allowed->empty()) return bad("location.allowed is not a list of places");
  for (const auto& node : *allowed) {
    const auto label = node.value_exact<std::string>();
    if (!label || label->empty()) return bad("location.allowed is not a list of places");
    out.allowed.push_back(*label);
  }
  return out;
}

}  // namespace

Result<Period> Config::period_of(std::string_view retention_class) const {
  for (const auto& c : classes)
    if (c.name == retention_class) return c.period;
  return fail(Errc::refused, "this vault has no retention class \"" + std::string(retention_class) + "\"");
}

std::string write_config(const Config& config) {
  toml::table classes;
  for (const auto& c : config.classes) classes.insert(c.name, c.period.text());
  toml::table root;
  root.insert("vault", toml::table{{"version", static_cast<std::int64_t>(kVaultVersion)},
                                   {"organisation", config.organisation},
                                   {"time_zone", config.time_zone},
                                   {"country_code", config.country_code}});
  if (config.keeper) root["vault"].as_table()->insert("keeper", config.keeper->string());
  root.insert("retention", std::move(classes));
  const bool strict = config.implied_consent == ImpliedConsent::heard;
  root.insert("policy", toml::table{{"implied_consent", strict ? "heard" : "announced"},
                                    {"pending_grace_hours", static_cast<std::int64_t>(config.pending_grace.count())}});
  std::ostringstream out;
  out << root << "\n";
  return out.str();
}

Result<Config> parse_config(std::string_view text) {
  if (std::count(text.begin(), text.end(), '.') > kMaxDots) return bad("it has more than 4096 dots");
  toml::table table;
  try {
    table = toml::parse(text);
  } catch (const toml::parse_error& error) {
    std::ostringstream where;
    where << error.source().begin;
    return bad("not valid TOML (" + where.str() + ")");
  }
  const auto version = table["vault"]["version"].value_exact<std::int64_t>();
  if (!version || *version < 1) return bad("vault.version is missing");
  if (*version > kVaultVersion)
    return fail(Errc::newer_version, "this vault is of version " + std::to_string(*version) +
                                         "; this callvault knows up to " + std::to_string(kVaultVersion));
  Config out;
  CALLVAULT_TRY_ASSIGN(out.organisation, text_at(table, "vault", "organisation"));
  CALLVAULT_TRY_ASSIGN(out.time_zone, text_at(table, "vault", "time_zone"));
  CALLVAULT_TRY_ASSIGN(out.country_code, text_at(table, "vault", "country_code"));
  if (table["vault"]["keeper"]) {
    CALLVAULT_TRY_ASSIGN(out.keeper, text_at(table, "vault", "keeper"));
    if (out.keeper->empty()) return bad("vault.keeper is empty");
  }
  const toml::table* classes = table["retention"].as_table();
  if (classes == nullptr) return bad("the table [retention] is missing");
  for (const auto& [key, node] : *classes) {
    const std::string name(key.str());
    const auto period_text = node.value<std::string>();
    if (!is_class_name(name)) return bad("a retention class has a name that is not plain");
    if (!period_text) return bad("retention." + name + " is not a period such as \"6mo\"");
    auto period = Period::parse(*period_text);
    if (!period) return bad("retention." + name + ": " + period.error().message);
    RetentionClass c{name, *period};
    if (name == "default")
      out.classes.insert(out.classes.begin(), std::move(c));
    else
      out.classes.push_back(std::move(c));
  }
  if (out.classes.empty() || out.classes.front().name != "default") return bad("retention.default is missing");
  if (table["policy"]["pending_grace_hours"]) {
    const auto grace = table["policy"]["pending_grace_hours"].value_exact<std::int64_t>();
    if (!grace || *grace < 0 || *grace > kMaxGraceHours) return bad("policy.pending_grace_hours is out of bounds");
    out.pending_grace = std::chrono::hours(*grace);
  }
  if (table["policy"]["breach_notice_hours"]) {
    const auto hours = table["policy"]["breach_notice_hours"].value_exact<std::int64_t>();
    if (!hours || *hours < 1 || *hours > kMaxGraceHours) return bad("policy.breach_notice_hours is out of bounds");
    out.breach_notice = std::chrono::hours(*hours);
  }
  if (table["policy"]["implied_consent"]) {
    CALLVAULT_TRY_ASSIGN(const auto word, text_at(table, "policy", "implied_consent"));
    if (word != "announced" && word != "heard") return bad("policy.implied_consent is neither announced nor heard");
    out.implied_consent = word == "heard" ? ImpliedConsent::heard : ImpliedConsent::announced;
  }
  for (const auto& [key, value] :
       {std::pair{"request_retention", &out.request_retention}, std::pair{"breach_retention", &out.breach_retention}}) {
    if (!table["policy"][key]) continue;
    CALLVAULT_TRY_ASSIGN(const auto period_text, text_at(table, "policy", key));
    auto period = Period::parse(period_text);
    if (!period) return bad("policy." + std::string(key) + ": " + period.error().message);
    *value = *period;
  }
  CALLVAULT_TRY_ASSIGN(out.location, location_of(table));
  if (table["policy"]["copy_consent"]) {
    CALLVAULT_TRY_ASSIGN(const auto word, text_at(table, "policy", "copy_consent"));
    if (word != "all_parties" && word != "requester") return bad("policy.copy_consent is all_parties or requester");
    out.copy_consent = word == "requester" ? CopyConsent::requester : CopyConsent::all_parties;
  }
  CALLVAULT_TRY_ASSIGN(out.people, parse_people_policy(table));
  for (const auto& [key, value] : {std::pair{"controller", &out.controller_contact}, std::pair{"dpo", &out.dpo_contact},
                                   std::pair{"authority", &out.authority_contact}}) {
    if (!table["contact"][key]) continue;
    CALLVAULT_TRY_ASSIGN(*value, text_at(table, "contact", key));
  }
  CALLVAULT_TRY_ASSIGN(out.service, parse_service_policy(table));
  return out;
}

Result<Config> read_config(const os::Path& path) {
  auto bytes = os::read_file(path, kMaxConfigBytes);
  if (!bytes && bytes.error().code == Errc::not_found)
    return fail(Errc::no_vault, "no vault in " + path.parent_path().string());
  if (!bytes) return std::move(bytes).error();
  CALLVAULT_TRY_ASSIGN(auto config, parse_config(base::as_text(*bytes)));
  const auto zone = base::Zone::find(config.time_zone);
  if (!zone && zone.error().code == Errc::io) return zone.error();
  if (!zone) return bad("vault.time_zone \"" + config.time_zone + "\": " + zone.error().message);
  return config;
}

}  // namespace callvault::keys
