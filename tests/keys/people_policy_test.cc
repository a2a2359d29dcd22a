// What vault.toml says of people: defaults that are told, and nothing misspelt that would pass.
#include "keys/people_policy.h"

#include <doctest/doctest.h>

#include "keys/config.h"

namespace {

using namespace callvault;

Result<keys::Config> config_with(const std::string& more) {
  return keys::parse_config(
      "[vault]\nversion = 1\norganisation = \"x\"\ntime_zone = \"Europe/Bucharest\"\ncountry_code = \"40\"\n"
      "[retention]\ndefault = \"6mo\"\n" +
      more);
}

std::uint8_t bits(Role a, Role b = Role::auditor) {
  return static_cast<std::uint8_t>(static_cast<unsigned>(a) | static_cast<unsigned>(b));
}

TEST_CASE("without a setting a reviewer has all purposes, an evaluator three, nobody else any; nothing is required") {
  const auto policy = config_with("").value().people;
  CHECK(policy.purposes_of(bits(Role::reviewer)).size() == 6);
  CHECK(policy.purposes_of(bits(Role::evaluator)) ==
        std::set{Purpose::service_quality, Purpose::customer_needs, Purpose::evaluation});
  CHECK(policy.purposes_of(bits(Role::officer, Role::operator_)).empty());
  CHECK(policy.purposes_of(bits(Role::reviewer, Role::evaluator)).size() == 6);
  CHECK_FALSE(policy.evaluation_window);
  CHECK_FALSE(policy.require_duties);
  CHECK(policy.dual_control.empty());
  CHECK(policy.approval_stands == std::chrono::hours(24));
  CHECK(policy.bulk_export == 10);
  CHECK(policy.review_date.empty());
}

TEST_CASE("every setting is read") {
  const auto policy = config_with(R"([policy]
evaluation_window = true
require_duties = true
dual_control = ["unhold", "erase", "export", "officer"]
dual_control_hours = 2
bulk_export = 0
review_date = 2028-02-29
[roles]
reviewer.purposes = ["complaint", "legal_claims"]
[roles.evaluator]
purposes = []
)")
                          .value()
                          .people;
  CHECK(policy.purposes_of(bits(Role::reviewer, Role::evaluator)) ==
        std::set{Purpose::complaint, Purpose::legal_claims});
  CHECK(policy.purposes_of(bits(Role::evaluator)).empty());
  CHECK(policy.evaluation_window == Period{0, 30});
  CHECK(policy.require_duties);
  CHECK(policy.dual_control.size() == 4);
  CHECK(policy.approval_stands == std::chrono::hours(2));
  CHECK(policy.bulk_export == 0);
  CHECK(policy.review_date == "2028-02-29");
  CHECK(config_with("[policy]\nevaluation_window = \"3mo\"\n").value().people.evaluation_window == Period{3, 0});
  CHECK_FALSE(config_with("[policy]\nevaluation_window = false\n").value().people.evaluation_window);
}

TEST_CASE("what is wrong is named, and never replaced by a default") {
  const std::pair<const char*, const char*> table[] = {
      {"[roles]\nreviewer = 1\n", "roles.reviewer is not a table"},
      {"roles = 1\n", "roles"},
      {"[roles]\nking.purposes = []\n", "roles: role must be one of"},
      {"[roles]\nauditor.purposes = []\n", "roles.auditor: only reviewer and evaluator"},
      {"[roles]\nreviewer.purpose = []\n", "roles.reviewer has a setting that is not known"},
      {"[roles]\nreviewer.purposes = \"evaluation\"\n", "roles.reviewer.purposes is not a list"},
      {"[roles]\nreviewer.purposes = [1]\n", "roles.reviewer.purposes is not a list"},
      {"[roles]\nreviewer.purposes = [\"evaluatoin\"]\n", "roles.reviewer.purposes: purpose must be one of"},
      {"[roles]\nreviewer.purposes = [\"complaint\", \"complaint\"]\n", "names complaint twice"},
      {"[policy]\nevaluation_window = 30\n", "policy.evaluation_window"},
      {"[policy]\nevaluation_window = \"\"\n", "policy.evaluation_window"},
      {"[policy]\nrequire_duties = 1\n", "policy.require_duties"},
      {"[policy]\ndual_control = true\n", "policy.dual_control"},
      {"[policy]\ndual_control = [\"purge\"]\n", "policy.dual_control: action must be one of"},
      {"[policy]\ndual_control_hours = 0\n", "policy.dual_control_hours"},
      {"[policy]\ndual_control_hours = 721\n", "policy.dual_control_hours"},
      {"[policy]\nbulk_export = -1\n", "policy.bulk_export"},
      {"[policy]\nbulk_export = \"10\"\n", "policy.bulk_export"},
      {"[policy]\nreview_date = \"2027-05-01\"\n", "policy.review_date"},
      {"[policy]\nreview_date = 2027-05-01T00:00:00\n", "policy.review_date"},
  };
  for (const auto& [text, what] : table) {
    CAPTURE(text);
    const auto config = config_with(text);
    REQUIRE_FALSE(config.has_value());
    CHECK(config.error().code == Errc::corrupt);
    CAPTURE(config.error().message);
    CHECK(config.error().message.find(what) != std::string::npos);
  }
  const auto config = keys::parse_config(
      "roles = 1\n[vault]\nversion = 1\norganisation = \"x\"\ntime_zone = \"UTC\"\n"
      "country_code = \"40\"\n[retention]\ndefault = \"6mo\"\n");
  REQUIRE_FALSE(config.has_value());
  CHECK(config.error().message.find("roles is not a table") != std::string::npos);
}

}  // namespace
