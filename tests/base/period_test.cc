#include <doctest/doctest.h>

#include <array>
#include <string>
#include <utility>

#include "callvault/retention.h"

using callvault::Errc;
using callvault::Period;

TEST_CASE("periods: accepted forms") {
  const std::array<std::pair<const char*, Period>, 9> cases{{{"6mo", {6, 0}},
                                                             {"1d", {0, 1}},
                                                             {"30d", {0, 30}},
                                                             {"180d", {0, 180}},
                                                             {"1y", {12, 0}},
                                                             {"18mo", {18, 0}},
                                                             {"100y", {1200, 0}},
                                                             {"1200mo", {1200, 0}},
                                                             {"36525d", {0, 36525}}}};
  for (const auto& row : cases) {
    const auto& [text, period] = row;
    CAPTURE(row.first);
    const auto parsed = Period::parse(text);
    REQUIRE(parsed);
    CHECK(*parsed == period);
    CHECK(Period::parse(parsed->text()).value() == period);
  }
  CHECK(Period::parse("6mo")->text() == "6mo");
  CHECK(Period::parse("12mo")->text() == "1y");
  CHECK(Period::parse("30d")->text() == "30d");
  CHECK(Period{6, 3}.text() == "6mo3d");
  CHECK(Period{}.text() == "0d");
}

TEST_CASE("periods: refusals") {
  for (const std::string text :
       {"",      "6",    "mo",    "0d",   "0mo",     "0y",   "-1d",  "+1d",    "06mo",   " 6mo",
        "6mo ",  "6 mo", "6MO",   "6m",   "6months", "1.5y", "101y", "1201mo", "36526d", "99999999999d",
        "1y6mo", "1w",   "6mo\n", "0x6d", "d30"}) {
    CAPTURE(text);
    const auto parsed = Period::parse(text);
    REQUIRE(!parsed);
    CHECK(parsed.error().code == Errc::usage);
  }
  CHECK(!Period::parse(std::string_view("6mo\0", 4)));
}
