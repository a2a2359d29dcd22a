// The registers of people and of approvals: their text forms, what is signed, what an approval binds.
#include "rights/people.h"

#include <doctest/doctest.h>

#include "rights/approvals.h"

namespace {

using namespace callvault;

Time at(int hours) { return Time(std::chrono::hours(480'000 + hours)); }

rights::PeopleContent some_people() {
  rights::PeopleContent content;
  content.duty = Duty{3, "line \"one\"\nline two\n", std::string(64, 'a'), at(1)};
  auto& ana = content.people["ana"];
  ana.assessed_at = at(2);
  ana.expires_at = at(9);
  rights::Acceptance acceptance{3, std::string(64, 'a'), at(3), {}};
  acceptance.signature.fill(std::byte{7});
  ana.acceptances = {acceptance, acceptance};
  content.people["ion"] = {};
  return content;
}

rights::ApprovalsContent some_approvals() {
  rights::ApprovalsContent content{{}, 2026, 12};
  rights::ApprovalRecord record;
  record.approval = {"A-2026-0012", DualAction::bulk_export, ApprovalState::approved, "a copy", "ana", "ion", at(1),
                     at(25)};
  record.digest.fill(std::byte{9});
  content.records.push_back(record);
  record.approval.state = ApprovalState::used;
  record.approval.what.clear();
  content.records.push_back(record);
  return content;
}

template <typename T>
Errc code_of(const Result<T>& result) {
  return result ? Errc::unexpected : result.error().code;
}

TEST_CASE("the registers are read as they were written") {
  const std::string people = rights::encode_people(some_people());
  const auto again = rights::decode_people(people);
  REQUIRE(again.has_value());
  CHECK(rights::encode_people(*again) == people);
  CHECK(again->duty->text == some_people().duty->text);
  CHECK(again->people.at("ana").acceptances.size() == 2);
  CHECK_FALSE(again->people.at("ana").assessed_until);
  CHECK(rights::decode_people(rights::encode_people({})).has_value());

  const std::string approvals = rights::encode_approvals(some_approvals());
  const auto read = rights::decode_approvals(approvals);
  REQUIRE(read.has_value());
  CHECK(rights::encode_approvals(*read) == approvals);
  CHECK(read->records[0].approval.decided_by == "ion");
}

TEST_CASE("a later version is told from damage, and no flipped bit crashes") {
  CHECK(code_of(rights::decode_people(R"({"version":2})")) == Errc::newer_version);
  CHECK(code_of(rights::decode_approvals(R"({"version":2})")) == Errc::newer_version);
  for (const char* bad :
       {"", "[]", "{}", R"({"version":1})", R"({"version":"1","people":{},"duty":null})",
        R"({"version":1,"people":[],"duty":null})", R"({"version":1,"people":{},"duty":{}})",
        R"({"version":1,"people":{"A b":{}},"duty":null})", R"({"version":1,"people":{"ana":{}},"duty":null})"})
    CHECK(code_of(rights::decode_people(bad)) == Errc::corrupt);
  for (const char* bad : {"", "7", R"({"version":1,"year":2026,"last_number":1})",
                          R"({"version":1,"year":2026,"last_number":1,"approvals":[{}]})"})
    CHECK(code_of(rights::decode_approvals(bad)) == Errc::corrupt);
  for (const auto& good : {rights::encode_people(some_people()), rights::encode_approvals(some_approvals())})
    for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
      std::string bad = good;
      bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ (1 << (bit % 8)));
      (void)rights::decode_people(bad).has_value();
      (void)rights::decode_approvals(bad).has_value();
    }
}

TEST_CASE("what is signed names the vault, the person, the text and the time") {
  const std::string one = rights::acceptance_statement("callvault/1", "ana", 3, "aa", at(1));
  CHECK(one == "callvault v1 duty acceptance\ncallvault/1\nana\n3\naa\n" + base::utc_text(at(1)) + "\n");
  for (const auto& other : {rights::acceptance_statement("callvault/2", "ana", 3, "aa", at(1)),
                            rights::acceptance_statement("callvault/1", "ion", 3, "aa", at(1)),
                            rights::acceptance_statement("callvault/1", "ana", 4, "aa", at(1)),
                            rights::acceptance_statement("callvault/1", "ana", 3, "ab", at(1)),
                            rights::acceptance_statement("callvault/1", "ana", 3, "aa", at(2))})
    CHECK(other != one);
}

}  // namespace
