#include "keys/people_policy_parser.h"

#include <cstdio>

namespace callvault::keys {
namespace {

constexpr Period kUsualWindow{0, 30};  // Romanian Law 190/2018, art. 5
constexpr std::int64_t kMaxApprovalHours = 24 * 30;
constexpr std::int64_t kMaxBulkExport = 1'000'000;

Error bad_policy(const std::string& what) { return fail(Errc::corrupt, "vault.toml: " + what); }

// The words of a list; each at most once.
template <typename T>
Result<std::set<T>> words_of(const toml::node& node, const std::string& key, Result<T> (*parse)(std::string_view)) {
  const toml::array* list = node.as_array();
  if (list == nullptr) return bad_policy(key + " is not a list of texts");
  std::set<T> out;
  for (const auto& item : *list) {
    const auto word = item.value_exact<std::string>();
    if (!word) return bad_policy(key + " is not a list of texts");
    const auto parsed = parse(*word);
    if (!parsed) return bad_policy(key + ": " + parsed.error().message);
    if (!out.insert(*parsed).second) return bad_policy(key + " names " + *word + " twice");
  }
  return out;
}

// A word that is misspelt here would leave a role with more than was meant: nothing unknown is passed over.
Result<void> parse_roles(const toml::node& node, PeoplePolicy& out) {
  const toml::table* roles = node.as_table();
  if (roles == nullptr) return bad_policy("roles is not a table");
  for (const auto& [key, settings] : *roles) {
    const auto role = parse_role(key.str());
    if (!role) return bad_policy("roles: " + role.error().message);
    const std::string path = "roles." + std::string(to_word(*role));
    if (!out.purposes.contains(*role)) return bad_policy(path + ": only reviewer and evaluator open recordings");
    const toml::table* table = settings.as_table();
    if (table == nullptr) return bad_policy(path + " is not a table");
    for (const auto& [name, value] : *table) {
      if (name.str() != "purposes") return bad_policy(path + " has a setting that is not known; it has purposes");
      CALLVAULT_TRY_ASSIGN(out.purposes[*role], words_of(value, path + ".purposes", parse_purpose));
    }
  }
  return {};
}

Result<void> parse_window(const toml::node& node, PeoplePolicy& out) {
  constexpr const char* kKey = "policy.evaluation_window";
  if (const auto flag = node.value_exact<bool>()) {
    out.evaluation_window = *flag ? std::optional(kUsualWindow) : std::nullopt;
    return {};
  }
  const auto text = node.value_exact<std::string>();
  if (!text) return bad_policy(std::string(kKey) + R"( is not true, false or a period such as "30d")");
  const auto period = Period::parse(*text);
  if (!period) return bad_policy(std::string(kKey) + ": " + period.error().message);
  out.evaluation_window = *period;
  return {};
}

Result<std::int64_t> number_within(const toml::node& node, const std::string& key, std::int64_t least,
                                   std::int64_t most) {
  const auto number = node.value_exact<std::int64_t>();
  if (!number || *number < least || *number > most) return bad_policy(key + " is out of bounds");
  return *number;
}

// A date of TOML itself, which has checked that it exists.
Result<std::string> parse_review_date(const toml::node& node) {
  const auto date = node.value_exact<toml::date>();
  if (!date) return bad_policy("policy.review_date is not a date such as 2027-05-01, without quotes");
  char text[16];
  std::snprintf(text, sizeof text, "%04d-%02d-%02d", date->year, date->month, date->day);
  return std::string(text);
}

}  // namespace

Result<PeoplePolicy> parse_people_policy(const toml::table& config) {
  PeoplePolicy out;
  if (const auto roles = config["roles"]) CALLVAULT_TRY(parse_roles(*roles.node(), out));
  const auto policy = config["policy"];
  if (const auto window = policy["evaluation_window"]) CALLVAULT_TRY(parse_window(*window.node(), out));
  if (const auto duties = policy["require_duties"]) {
    const auto flag = duties.value_exact<bool>();
    if (!flag) return bad_policy("policy.require_duties is not true or false");
    out.require_duties = *flag;
  }
  if (const auto dual = policy["dual_control"]) {
    CALLVAULT_TRY_ASSIGN(out.dual_control, words_of(*dual.node(), "policy.dual_control", parse_dual_action));
  }
  if (const auto hours = policy["dual_control_hours"]) {
    CALLVAULT_TRY_ASSIGN(const auto number,
                         number_within(*hours.node(), "policy.dual_control_hours", 1, kMaxApprovalHours));
    out.approval_stands = std::chrono::hours(number);
  }
  if (const auto bulk = policy["bulk_export"]) {
    CALLVAULT_TRY_ASSIGN(const auto number, number_within(*bulk.node(), "policy.bulk_export", 0, kMaxBulkExport));
    out.bulk_export = static_cast<std::uint64_t>(number);
  }
  if (const auto date = policy["review_date"]) {
    CALLVAULT_TRY_ASSIGN(out.review_date, parse_review_date(*date.node()));
  }
  return out;
}

}  // namespace callvault::keys
