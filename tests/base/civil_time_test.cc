#include "base/civil_time.h"

#include <date/tz.h>
#include <doctest/doctest.h>

#include <array>
#include <fstream>
#include <iterator>
#include <limits>
#include <random>

#include "base/bytes.h"
#include "base/zone_file.h"

using namespace callvault;
using base::day_text;
using base::parse_day;
using base::parse_utc;
using base::utc_text;
using base::Zone;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

Time utc(std::string_view text) {
  const auto time = parse_utc(text);
  REQUIRE_MESSAGE(time, text);
  return *time;
}

Zone zone(std::string_view name) {
  auto found = Zone::find(name);
  REQUIRE_MESSAGE(found, name);
  return *found;
}

base::Bytes zone_file(const std::string& name) {
  std::ifstream file("/usr/share/zoneinfo/" + name, std::ios::binary);
  REQUIRE(file.is_open());
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  return base::to_bytes(base::as_bytes(text));
}

}  // namespace

TEST_CASE("zones: known and unknown names") {
  CHECK(zone("Europe/Bucharest").name() == "Europe/Bucharest");
  for (const std::string name : {"", "Europe", "Europe/", "Europe/Nowhere", "/etc/passwd", "../zoneinfo/UTC",
                                 "Europe/../UTC", "zone.tab", "tzdata.zi", "localtime", "posixrules",
                                 "right/Europe/Bucharest", "europe/bucharest\n", "UTC ", "zone1970.tab"}) {
    CAPTURE(name);
    const auto found = Zone::find(name);
    REQUIRE(!found);
    CHECK(found.error().code == Errc::usage);
  }
  CHECK(!Zone::find(std::string_view("UTC\0x", 5)));
  CHECK(!Zone::find(std::string(100000, 'a')));
}

TEST_CASE("zones: offsets agree with the date library's own reading, in every zone, 1970 to 2036") {
  std::size_t compared = 0;
  for (const date::time_zone& other : date::get_tzdb().zones) {
    const auto ours = Zone::find(other.name());
    if (!ours) {  // what we refuse on purpose
      const bool foreign =
          other.name().starts_with("right/") || other.name() == "localtime" || other.name() == "posixrules";
      CHECK_MESSAGE(foreign, other.name());
      continue;
    }
    if (other.name().starts_with("posix/")) continue;
    const auto rules = base::ZoneRules::load(other.name());
    REQUIRE(rules);
    // Just before and at every change, and the civil day far from any.
    for (auto at = date::sys_seconds(date::sys_days(date::year(1970) / 1 / 1));
         at < date::sys_days(date::year(2036) / 1 / 1);) {
      const auto info = other.get_info(at);
      CHECK(rules->span_at(at).offset == info.offset);
      CHECK(rules->span_at(info.end - seconds(1)).offset == info.offset);
      ++compared;
      at = info.end;
    }
  }
  CHECK(compared > 10000);
}

TEST_CASE("civil days turn at local midnight") {
  const Zone bucharest = zone("Europe/Bucharest");
  CHECK(day_text(bucharest.civil_day(utc("2026-11-23T21:59:59.999Z"))) == "2026-11-23");
  CHECK(day_text(bucharest.civil_day(utc("2026-11-23T22:00:00.000Z"))) == "2026-11-24");
  CHECK(day_text(bucharest.civil_day(utc("2026-07-23T20:59:59.999Z"))) == "2026-07-23");
  CHECK(day_text(bucharest.civil_day(utc("2026-07-23T21:00:00.000Z"))) == "2026-07-24");
  CHECK(day_text(zone("Asia/Kathmandu").civil_day(utc("2026-11-23T18:15:00.000Z"))) == "2026-11-24");
  CHECK(day_text(zone("America/New_York").civil_day(utc("2026-11-23T04:59:59.999Z"))) == "2026-11-22");
  CHECK(zone("America/New_York").civil_day(Time{}) == -1);
  CHECK(zone("UTC").civil_day(Time{}) == 0);
  CHECK(day_text(zone("Pacific/Apia").civil_day(utc("2011-12-30T09:59:59.999Z"))) == "2011-12-29");
  CHECK(day_text(zone("Pacific/Apia").civil_day(utc("2011-12-30T10:00:00.000Z"))) == "2011-12-31");
  // Nonsense is bounded, never undefined.
  CHECK(day_text(bucharest.civil_day(Time::max())) == "9999-01-01");
  CHECK(day_text(bucharest.civil_day(Time::min())) == "0001-01-01");
}

TEST_CASE("calendar periods: the cases that people get wrong") {
  const Zone b = zone("Europe/Bucharest");
  const auto plus = [&](std::string_view start, Period period) { return b.rfc3339(b.add(utc(start), period).value()); };
  CHECK(plus("2027-08-31T09:00:00.000Z", {6, 0}) == "2028-02-29T12:00:00+02:00");
  CHECK(plus("2026-08-31T09:00:00.000Z", {6, 0}) == "2027-02-28T12:00:00+02:00");
  CHECK(plus("2028-02-29T10:00:00.000Z", {12, 0}) == "2029-02-28T12:00:00+02:00");
  CHECK(plus("2026-05-23T09:00:00.000Z", {6, 0}) == "2026-11-23T12:00:00+02:00");  // 184 days, not 180
  CHECK(plus("2026-01-31T10:00:00.000Z", {1, 1}) == "2026-03-01T12:00:00+02:00");  // months first, then days
  CHECK(plus("2025-09-29T00:30:00.000Z", {6, 0}) == "2026-03-29T04:00:00+03:00");  // 03:30 does not exist
  CHECK(plus("2026-04-25T00:30:00.000Z", {6, 0}) == "2026-10-25T03:30:00+03:00");  // 03:30 twice: the start's offset
  CHECK(plus("2026-01-25T01:30:00.000Z", {9, 0}) == "2026-10-25T03:30:00+02:00");
  CHECK(plus("2026-05-23T09:00:00.123Z", {0, 0}) == "2026-05-23T12:00:00.123+03:00");
}

TEST_CASE("calendar periods: bounds") {
  const Zone b = zone("Europe/Bucharest");
  const auto refused = [&](Time start, Period period) {
    const auto added = b.add(start, period);
    return !added && added.error().code == Errc::usage;
  };
  const Time start = utc("2026-11-23T00:00:00.000Z");
  constexpr auto kMax = std::numeric_limits<std::int32_t>::max();
  constexpr auto kMin = std::numeric_limits<std::int32_t>::min();
  CHECK(refused(start, {-1, 0}));
  CHECK(refused(start, {0, -1}));
  CHECK(refused(start, {1201, 0}));
  CHECK(refused(start, {0, 36526}));
  CHECK(refused(start, {kMax, kMax}));
  CHECK(refused(start, {kMin, kMin}));
  CHECK(refused(Time::max(), {6, 0}));
  CHECK(refused(Time::min(), {6, 0}));
  CHECK(refused(utc("2201-01-01T00:00:00.000Z"), {6, 0}));
  CHECK(refused(utc("1969-12-31T23:59:59.999Z"), {6, 0}));
  CHECK(b.add(utc("2200-12-31T23:59:59.999Z"), {1200, 36525}));
}

TEST_CASE("times as text in a zone, and back") {
  const Zone b = zone("Europe/Bucharest");
  CHECK(b.rfc3339(utc("2026-11-23T10:11:12.345Z")) == "2026-11-23T12:11:12.345+02:00");
  CHECK(b.rfc3339(utc("2026-07-23T10:11:12.000Z")) == "2026-07-23T13:11:12+03:00");
  CHECK(zone("UTC").rfc3339(utc("2026-07-23T10:11:12.000Z")) == "2026-07-23T10:11:12+00:00");
  CHECK(zone("America/New_York").rfc3339(utc("2026-11-23T10:11:12.050Z")) == "2026-11-23T05:11:12.050-05:00");
  CHECK(zone("America/St_Johns").rfc3339(utc("2026-11-23T10:11:12.050Z")) == "2026-11-23T06:41:12.050-03:30");
  CHECK(zone("Asia/Kathmandu").rfc3339(utc("2026-11-23T10:11:12.000Z")) == "2026-11-23T15:56:12+05:45");

  std::mt19937_64 random(7);
  for (const char* name : {"Europe/Bucharest", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia", "UTC"}) {
    const Zone z = zone(name);
    for (int i = 0; i < 2000; ++i) {
      const Time time(milliseconds(static_cast<std::int64_t>(random() % 7258000000000ULL) + 86400000));
      const std::string text = z.rfc3339(time);
      CAPTURE(text);
      const auto back = z.parse(text);
      REQUIRE(back);
      CHECK(*back == time);
    }
  }
}

TEST_CASE("times that people write") {
  const Zone b = zone("Europe/Bucharest");
  const std::array<std::array<std::string_view, 2>, 17> cases{{
      {"2026-11-23", "2026-11-22T22:00:00.000Z"},
      {"2026-07-23", "2026-07-22T21:00:00.000Z"},
      {"2026-11-23 14:05", "2026-11-23T12:05:00.000Z"},
      {"2026-11-23T14:05", "2026-11-23T12:05:00.000Z"},
      {"2026-11-23T14:05:09", "2026-11-23T12:05:09.000Z"},
      {"2026-11-23 14:05:09.5", "2026-11-23T12:05:09.500Z"},
      {"2026-11-23T14:05:09Z", "2026-11-23T14:05:09.000Z"},
      {"2026-11-23t14:05:09z", "2026-11-23T14:05:09.000Z"},
      {"2026-11-23T14:05:09+02:00", "2026-11-23T12:05:09.000Z"},
      {"2026-11-23T14:05:09.007-05:30", "2026-11-23T19:35:09.007Z"},
      {"2026-11-23 14:05:09 +02:00", ""},
      {"2026-10-25 03:30", "2026-10-25T00:30:00.000Z"},  // twice: the earlier
      {"2026-03-29 04:00", "2026-03-29T01:00:00.000Z"},
      {"2026-03-29 03:30", ""},  // never
      {"2026-03-29T03:30:00+03:00", "2026-03-29T00:30:00.000Z"},
      {"1970-01-01", "1969-12-31T22:00:00.000Z"},  // the civil year counts
      {"2200-12-31T23:59:59.999Z", "2200-12-31T23:59:59.999Z"},
  }};
  for (const auto& row : cases) {
    const auto& [text, expected] = row;
    CAPTURE(row[0]);
    const auto parsed = b.parse(text);
    REQUIRE(parsed.has_value() == !expected.empty());
    if (parsed) CHECK(utc_text(*parsed) == expected);
  }
  // A day whose midnight does not exist starts after the gap.
  CHECK(utc_text(zone("America/Sao_Paulo").parse("2018-11-04").value()) == "2018-11-04T03:00:00.000Z");
  CHECK(utc_text(zone("Pacific/Apia").parse("2011-12-30").value()) == "2011-12-30T10:00:00.000Z");
}

TEST_CASE("times: refusals say what is expected") {
  const Zone b = zone("Europe/Bucharest");
  for (const std::string text : {"",
                                 "today",
                                 "2026",
                                 "2026-11",
                                 "2026-11-31",
                                 "2026-02-29",
                                 "2026-00-10",
                                 "2026-13-01",
                                 "2026-11-00",
                                 "26-11-23",
                                 "2026-1-23",
                                 "2026-11-23 ",
                                 " 2026-11-23",
                                 "2026-11-23 24:00",
                                 "2026-11-23 14:60",
                                 "2026-11-23 14",
                                 "2026-11-23 14:5",
                                 "2026-11-23 14:05:60",
                                 "2026-11-23T14:05:09.",
                                 "2026-11-23T14:05:09.1234",
                                 "2026-11-23T14:05:09+0200",
                                 "2026-11-23T14:05:09+24:00",
                                 "2026-11-23T14:05:09+02:60",
                                 "2026-11-23T14:05:09Zz",
                                 "2026-11-23Z",
                                 "1969-12-31",
                                 "2201-01-01",
                                 "9999-12-31",
                                 "1970-01-01T00:00:00+14:00",
                                 "-026-11-23",
                                 "2026-11-23\n",
                                 "2026/11/23",
                                 "23.11.2026",
                                 "1763900000"}) {
    CAPTURE(text);
    const auto parsed = b.parse(text);
    REQUIRE(!parsed);
    CHECK(parsed.error().code == Errc::usage);
    CHECK(parsed.error().message.find("2026-11-23 14:05") != std::string::npos);
  }
  CHECK(!b.parse(std::string_view("2026-11-23\0", 11)));
  CHECK(!b.parse(std::string(1000000, '2')));
  CHECK(!b.parse("2026-11-23T14:05:09+02:00" + std::string(100, ' ')));
}

TEST_CASE("days and UTC instants as text: exact both ways") {
  CHECK(day_text(0) == "1970-01-01");
  CHECK(day_text(20780) == "2026-11-23");
  CHECK(parse_day("2026-11-23").value() == 20780);
  CHECK(parse_day("1969-12-31").value() == -1);
  CHECK(parse_day("2000-02-29"));
  CHECK(!parse_day("1900-02-29"));
  CHECK(day_text(std::numeric_limits<std::int32_t>::max()) == "9999-12-31");
  CHECK(day_text(std::numeric_limits<std::int32_t>::min()) == "0000-01-01");
  for (std::int32_t day = -719528; day <= 2932896; day += 97) REQUIRE(parse_day(day_text(day)).value() == day);
  for (const char* text : {"", "2026-11-23 ", "2026-11-3", "2026-1123", "2026-11-32", "x026-11-23", "2026-11-23T"})
    CHECK(!parse_day(text));

  CHECK(utc_text(Time{}) == "1970-01-01T00:00:00.000Z");
  CHECK(utc_text(Time(milliseconds(-1))) == "1969-12-31T23:59:59.999Z");
  CHECK(utc_text(Time::max()) == "9999-12-31T23:59:59.999Z");
  CHECK(utc_text(Time::min()) == "0000-01-01T00:00:00.000Z");
  std::mt19937_64 random(11);
  for (int i = 0; i < 20000; ++i) {
    const Time time(milliseconds(static_cast<std::int64_t>(random() % 315569520000000ULL) - 62167219200000));
    REQUIRE(parse_utc(utc_text(time)).value() == time);
  }
  for (const char* text :
       {"", "2026-11-23T10:11:12Z", "2026-11-23T10:11:12.34Z", "2026-11-23T10:11:12.3456Z", "2026-11-23 10:11:12.345Z",
        "2026-11-23T10:11:12.345z", "2026-11-23T10:11:12.345", "2026-11-23T10:11:12.345+", "2026-11-23T24:11:12.345Z",
        "2026-02-30T10:11:12.345Z", "2026-11-23T10:11:12,345Z"}) {
    CAPTURE(text);
    CHECK(!parse_utc(text));
  }
}

TEST_CASE("zone files: every truncation and flipped bit is refused or still within bounds") {
  const base::Bytes file = zone_file("Europe/Bucharest");
  CHECK(base::ZoneRules::parse(file));
  for (std::size_t size = 0; size < file.size(); ++size) {
    CAPTURE(size);
    CHECK(!base::ZoneRules::parse(base::ByteView(file).first(size)));
  }
  std::size_t accepted = 0;
  for (std::size_t bit = 0; bit < file.size() * 8; ++bit) {
    base::Bytes broken = file;
    broken[bit / 8] ^= std::byte{1} << (bit % 8);
    const auto rules = base::ZoneRules::parse(broken);
    if (!rules) continue;
    ++accepted;
    for (const int year : {1, 1969, 2026, 2038, 9998}) {
      const base::Seconds at = date::sys_days(date::year(year) / 6 / 15);
      const base::OffsetSpan span = rules->span_at(at);
      REQUIRE((span.begin <= at && at < span.end));
      REQUIRE(span.offset < hours(168));
    }
  }
  CHECK(accepted > 0);
}

TEST_CASE("yearly rules: forms") {
  using base::YearlyRule;
  for (const char* text :
       {"EET-2EEST,M3.5.0/3,M10.5.0/4", "UTC0", "<+0545>-5:45", "<-02>2<-01>,M3.5.0/-1,M10.5.0/0",
        "EET-2EEST,M3.4.4/50,M10.4.4/50", "<+1030>-10:30<+11>-11,M10.1.0,M4.1.0", "IST-1GMT0,M10.5.0,M3.5.0/1"})
    CHECK_MESSAGE(YearlyRule::parse(text), text);
  for (const char* text :
       {"", "EET", "EE-2", "EET-2EEST", "EET-2EEST,M3.5.0/3", "EET-2EEST,M3.5.0/3,", "EET-2EEST,M3.5.0/3,M10.5.0/4x",
        "EET-2EEST,M13.5.0,M10.5.0", "EET-2EEST,M3.6.0,M10.5.0", "EET-2EEST,M3.0.0,M10.5.0", "EET-2EEST,M3.5.7,M10.5.0",
        "EET-2EEST,M0.5.0,M10.5.0", "<EET-2", "EET-200", "EET-2EEST,M3.5.0/168,M10.5.0", "EET-2:60", "EET-1234"})
    CHECK_MESSAGE(!YearlyRule::parse(text), text);
}
