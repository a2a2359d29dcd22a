// The clock of a breach, what may be done when, and the register's text form.
#include "rights/breaches.h"

#include <doctest/doctest.h>

#include "rights/breach_codec.h"

namespace {

using namespace callvault;
using namespace std::chrono_literals;

constexpr Time kNow{std::chrono::hours(500'000)};

Breach fresh() {
  Breach b;
  b.id = "B-2026-0001";
  b.discovered = kNow - 10h;
  b.due = b.discovered + 72h;
  return b;
}

TEST_CASE("until it is assessed a breach counts as a risk, and its clock runs") {
  Breach b = fresh();
  CHECK_FALSE(rights::is_overdue(b, b.due - 1ms));
  CHECK(rights::is_overdue(b, b.due));
  REQUIRE(rights::assess(b, BreachRisk::none, "encrypted").has_value());
  CHECK_FALSE(rights::is_overdue(b, b.due));
  REQUIRE(rights::assess(b, BreachRisk::some, "or not").has_value());
  CHECK(rights::is_overdue(b, b.due));
  REQUIRE(rights::notify(b, {}, kNow).has_value());
  CHECK_FALSE(rights::is_overdue(b, b.due + 1h));
}

TEST_CASE("a late notice needs a reason, an early one none, and neither lies in the future or before the discovery") {
  Breach b = fresh();
  const Time late = b.due + 1h;
  CHECK(rights::notify(b, {}, late).error().code == Errc::refused);
  CHECK(rights::notify(b, {.at = late}, kNow).error().code == Errc::refused);
  CHECK(rights::notify(b, {.at = b.discovered - 1ms}, kNow).error().code == Errc::refused);
  CHECK_FALSE(b.authority_notified);
  // What was done in time may be written down later.
  Breach noted = fresh();
  CHECK(rights::notify(noted, {.at = noted.due - 1ms}, late).has_value());
  CHECK(rights::notify(b, {.reason = "holidays"}, late).has_value());
  CHECK(rights::notify(b, {.reason = "holidays"}, late).error().code == Errc::refused);
}

TEST_CASE("it closes once the risk is known and those are told who must be") {
  Breach b = fresh();
  CHECK(rights::close(b, "", kNow).error().code == Errc::refused);
  CHECK(rights::assess(b, BreachRisk::high, "").error().code == Errc::usage);
  REQUIRE(rights::assess(b, BreachRisk::high, "voices").has_value());
  CHECK(rights::close(b, "done", kNow).error().code == Errc::refused);
  REQUIRE(rights::notify(b, {}, kNow).has_value());
  CHECK(rights::close(b, "", kNow).error().code == Errc::refused);
  Breach told = b;
  REQUIRE(rights::notify(told, {.audience = BreachAudience::people}, kNow).has_value());
  CHECK(rights::close(told, "", kNow).has_value());
  REQUIRE(rights::close(b, "public communication, Art. 34(3)(c)", kNow).has_value());
  CHECK(b.closed);
  CHECK(rights::note(b, "more").error().code == Errc::refused);
  CHECK(rights::assess(b, BreachRisk::none, "x").error().code == Errc::refused);
  CHECK(rights::close(b, "", kNow).error().code == Errc::refused);
  Breach harmless = fresh();
  REQUIRE(rights::assess(harmless, BreachRisk::none, "sealed").has_value());
  CHECK(rights::close(harmless, "", kNow).has_value());
}

rights::BreachesContent varied_breaches() {
  Breach b = fresh();
  b.nature = BreachNature::integrity;
  b.risk = BreachRisk::high;
  b.from = kNow - 30h;
  b.to = kNow - 20h;
  b.authority_notified = kNow;
  b.people_notified = kNow + 1h;
  b.closed = true;
  b.closed_at = kNow + 2h;
  b.history = {{kNow, "ana", "opened", "a \"laptop\"\n"}};
  return {{b, fresh()}, 2026, 2};
}

TEST_CASE("what is encoded is decoded again, and what is damaged is not") {
  const std::string text = rights::encode_breaches(varied_breaches());
  const auto again = rights::decode_breaches(text);
  REQUIRE(again.has_value());
  CHECK(rights::encode_breaches(*again) == text);
  CHECK(again->breaches[0].closed);
  CHECK_FALSE(again->breaches[1].closed);
  CHECK(again->breaches[0].people_notified == kNow + 1h);
  for (std::size_t cut = 0; cut < text.size(); ++cut)
    CHECK(rights::decode_breaches(text.substr(0, cut)).error().code == Errc::corrupt);
  std::string newer = text;
  newer.replace(newer.find("\"version\":1"), 11, "\"version\":2");
  CHECK(rights::decode_breaches(newer).error().code == Errc::newer_version);
  std::string lacking = text;
  lacking.replace(lacking.find("\"nature\""), 8, "\"nurture\"");
  CHECK(rights::decode_breaches(lacking).error().code == Errc::corrupt);
}

}  // namespace
