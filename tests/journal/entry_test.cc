#include "journal/entry.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <random>

#include "journal/fixture.h"

namespace callvault::journal {
namespace {

Entry full() {
  return {.at = time_of(0),
          .event = "opened",
          .actor = "c2VhbGVk",
          .actor_key = "2026-11",
          .facts = {{"id", "abc"}, {"purpose", "complaint"}},
          .items = {"i1", "i2"},
          .note = "bm90ZQ==",
          .note_key = "abc"};
}

constexpr const char* kFull =
    R"({"actor":"c2VhbGVk","actor_key":"2026-11","at":"2026-11-23T10:11:12.345Z","event":"opened",)"
    R"("facts":{"id":"abc","purpose":"complaint"},"items":["i1","i2"],"note":"bm90ZQ==","note_key":"abc","v":1})";

TEST_CASE("an entry has one spelling") {
  CHECK(encode(full()) == kFull);
  CHECK(decode(kFull).value() == full());
  CHECK(encode({.at = Time{}, .event = "x"}) == R"({"at":"1970-01-01T00:00:00.000Z","event":"x","v":1})");
  CHECK(nlohmann::json::parse(kFull).dump() == kFull);
}

TEST_CASE("an entry about a person is of version 2, and only such an entry") {
  const Entry about{.at = Time{}, .event = "person_added", .actor_key = "2026-11", .person = "c2VhbGVk"};
  const std::string line =
      R"({"actor_key":"2026-11","at":"1970-01-01T00:00:00.000Z","event":"person_added","person":"c2VhbGVk","v":2})";
  CHECK(encode(about) == line);
  CHECK(decode(line).value() == about);
  CHECK(nlohmann::json::parse(line).dump() == line);
  std::string older = line;
  older.replace(older.size() - 2, 1, "1");
  CHECK(decode(older).error().code == Errc::corrupt);
  CHECK(decode(R"({"at":"1970-01-01T00:00:00.000Z","event":"x","v":2})").error().code == Errc::corrupt);
  CHECK_FALSE(validate({.at = Time{}, .event = "x", .person = "not base 64"}));
}

TEST_CASE("the line is what nlohmann-json writes, for any text") {
  std::mt19937 random(7);
  const std::vector<std::string> pieces{
      "a", "\"", "\\", "/", "\n", "\t", "\x01", "\x7f", "\xc8\x99", "\xf0\x9f\x93\x9e", " "};
  for (int round = 0; round < 500; ++round) {
    Entry entry{.at = time_of(static_cast<std::int64_t>(random()) * 1000), .event = "event"};
    std::string text;
    for (int i = 0; i < 6; ++i) text += pieces[random() % pieces.size()];
    entry.facts["text"] = text;
    entry.items = {text, ""};
    REQUIRE(validate(entry));
    const std::string line = encode(entry);
    CHECK(nlohmann::json::parse(line).dump() == line);
    CHECK(line.find('\n') == std::string::npos);
    CHECK(decode(line).value() == entry);
  }
}

TEST_CASE("what is not exactly an entry is refused") {
  const std::string good = R"({"at":"2026-11-23T10:11:12.345Z","event":"x","v":1})";
  REQUIRE(decode(good));
  const auto with = [&](const std::string& from, const std::string& to) {
    std::string out = good;
    const auto at = out.find(from);
    REQUIRE(at != std::string::npos);
    return out.replace(at, from.size(), to);
  };
  const std::vector<std::string> bad{"",
                                     "{}",
                                     "[]",
                                     "1",
                                     "null",
                                     good + " ",
                                     " " + good,
                                     good + good,
                                     good + "\n",
                                     with(",", ", "),
                                     with("x", "X"),
                                     with("\"x\"", "\"\""),
                                     with("\"x\"", "null"),
                                     with("\"x\"", "[\"x\"]"),
                                     with("x", "\\u0078"),
                                     with("2026", "1969"),
                                     with("11-23", "02-30"),
                                     with("10:11", "24:11"),
                                     with("345Z", "345z"),
                                     with(":12.3", ":60.3"),
                                     with("2026", "+202"),
                                     with("\"v\":1", "\"v\":0"),
                                     with("\"v\":1", "\"v\":\"1\""),
                                     with("\"v\":1", "\"v\":1.0"),
                                     with(",\"v\":1", ""),
                                     with(",\"v\":1", ",\"v\":1,\"v\":1"),
                                     with(",\"v\":1", ",\"facts\":{},\"v\":1"),
                                     with(",\"v\":1", ",\"facts\":{\"A\":\"b\"},\"v\":1"),
                                     with(",\"v\":1", ",\"facts\":{\"a\":\"b\",\"a\":\"c\"},\"v\":1"),
                                     with(",\"v\":1", ",\"facts\":{\"a\":{}},\"v\":1"),
                                     with(",\"v\":1", ",\"facts\":[\"a\"],\"v\":1"),
                                     with(",\"v\":1", ",\"items\":[],\"v\":1"),
                                     with(",\"v\":1", ",\"items\":[[\"a\"]],\"v\":1"),
                                     with(",\"v\":1", ",\"items\":{\"a\":\"b\"},\"v\":1"),
                                     with(",\"v\":1", ",\"note\":\"plain words\",\"v\":1"),
                                     with(",\"v\":1", ",\"other\":\"a\",\"v\":1"),
                                     with("\"x\"", "\"x\",\"facts\":{\"a\":\"\xff\"}"),
                                     std::string(200'000, '['),
                                     std::string(100, '\0')};
  for (const std::string& line : bad) {
    const auto got = decode(line);
    CAPTURE(line.substr(0, 200));
    REQUIRE_FALSE(got);
    CHECK(got.error().code == Errc::corrupt);
  }
  std::string flipped = kFull;
  for (std::size_t bit = 0; bit < flipped.size() * 8; ++bit) {
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << bit % 8));
    if (const auto got = decode(flipped)) CHECK(encode(*got) == flipped);  // another entry, in its one spelling
    flipped[bit / 8] = kFull[bit / 8];
  }
}

TEST_CASE("an entry of a later version is told apart from damage") {
  CHECK(decode(R"({"new":[{"deep":null}],"v":3})").error().code == Errc::newer_version);
  CHECK(decode(R"({"at":"2026-11-23T10:11:12.345Z","event":"x","v":7})").error().code == Errc::newer_version);
  CHECK(decode(R"({"new":{"v":3},"v":1})").error().code == Errc::corrupt);
  CHECK(decode(R"({"v":3)").error().code == Errc::corrupt);
  CHECK(decode(R"([{"v":3}])").error().code == Errc::corrupt);
}

TEST_CASE("what could not be read back is not written") {
  const auto refused = [](const auto& change) {
    Entry entry = full();
    change(entry);
    const auto got = validate(entry);
    return !got && got.error().code == Errc::usage;
  };
  REQUIRE(validate(full()));
  CHECK(refused([](Entry& e) { e.event = ""; }));
  CHECK(refused([](Entry& e) { e.event = "Opened"; }));
  CHECK(refused([](Entry& e) { e.event.assign(kMaxEventBytes + 1, 'a'); }));
  CHECK(refused([](Entry& e) { e.actor = "Maria P"; }));
  CHECK(refused([](Entry& e) { e.note = "she said so"; }));
  CHECK(refused([](Entry& e) { e.note.assign(kMaxNoteBytes + 4, 'a'); }));
  CHECK(refused([](Entry& e) { e.note_key = "../x"; }));
  CHECK(refused([](Entry& e) { e.actor_key = "a b"; }));
  CHECK(refused([](Entry& e) { e.facts["Key"] = "x"; }));
  CHECK(refused([](Entry& e) { e.facts["key"] = "\xff"; }));
  CHECK(refused([](Entry& e) { e.facts["key"].assign(kMaxFactBytes + 1, 'x'); }));
  CHECK(refused([](Entry& e) { e.items.assign(kMaxItems + 1, "x"); }));
  CHECK(refused([](Entry& e) { e.items = {std::string(kMaxItemBytes + 1, 'x')}; }));
  CHECK(refused([](Entry& e) { e.at = Time{} - 1ms; }));
  CHECK(refused([](Entry& e) { e.at = Time{} + std::chrono::days(2'932'897); }));
  CHECK_FALSE(refused([](Entry& e) { e.at = Time{} + std::chrono::days(2'932'897) - 1ms; }));
}

}  // namespace
}  // namespace callvault::journal
