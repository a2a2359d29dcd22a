// What a batch asks, merged; what has to wait, remembered; the intent's lines, read back.
#include "shred/targets.h"

#include <doctest/doctest.h>

#include "crypto/random.h"

using namespace callvault;
using shred::Doomed;
using shred::Target;
using shred::Victim;

namespace {

RecordingId draw() {
  std::array<std::byte, RecordingId::kBytes> bytes{};
  crypto::fill_random(bytes);
  return RecordingId(bytes);
}

keys::NodeRow row_of(std::initializer_list<TrackName> names) {
  keys::NodeRow row;
  for (const auto name : names) row.tracks.push_back({name, 0, {}, {}});
  return row;
}

}  // namespace

TEST_CASE("victims with one id are one target, and the whole recording prevails") {
  const auto a = draw(), b = draw();
  using Voices = std::set<TrackName>;
  for (const auto& [first, second] :
       {std::pair<std::optional<TrackName>, std::optional<TrackName>>{std::nullopt, TrackName::agent},
        {TrackName::agent, std::nullopt}}) {
    const auto merged =
        shred::merge({{a, 1, first ? "withdrawn" : "erased", first}, {a, 1, second ? "withdrawn" : "erased", second}});
    REQUIRE(merged.size() == 1);
    CHECK(merged[0].tracks == Voices{});
    CHECK(merged[0].reason == "erased");
  }
  const auto merged = shred::merge({{b, 2, "x", TrackName::agent}, {a, 3, "y", {}}, {b, 2, "z", TrackName::caller}});
  REQUIRE(merged.size() == 2);
  CHECK(merged[0].id == b);
  CHECK(merged[0].reason == "x");
  CHECK(merged[0].tracks == Voices{TrackName::caller, TrackName::agent});
  CHECK(merged[0].takes_all_of(row_of({TrackName::caller, TrackName::agent, TrackName::agent})));
  CHECK_FALSE(merged[0].takes_all_of(row_of({TrackName::caller, TrackName::mixed})));
  CHECK(merged[1].takes_all_of(row_of({TrackName::mixed})));
}

TEST_CASE("what is put off is told apart by recording and track, and taken off with what is done") {
  const auto a = draw(), b = draw();
  keys::Directory directory;
  const Target voice{a, 1, "w", {TrackName::agent}}, whole{a, 1, "e", {}}, other{b, 1, "w", {TrackName::agent}};
  CHECK(shred::put_off(directory, voice));
  CHECK_FALSE(shred::put_off(directory, voice));
  CHECK(shred::put_off(directory, other));
  CHECK(shred::put_off(directory, {a, 1, "w", {TrackName::agent, TrackName::caller}}));
  CHECK(directory.outstanding.size() == 3);
  shred::take_off(directory, {a, 1, 0, 0, "w", false, {{TrackName::agent, 0}}});
  CHECK(directory.outstanding.size() == 2);
  CHECK(shred::put_off(directory, whole));
  CHECK_FALSE(shred::put_off(directory, voice));
  REQUIRE(directory.outstanding.size() == 2);
  CHECK(directory.outstanding[0].id == b);
  CHECK(directory.outstanding[1].track == std::nullopt);
  // One voice alone does not settle a wish for the whole.
  shred::take_off(directory, {a, 1, 0, 0, "w", false, {{TrackName::agent, 0}}});
  CHECK(directory.outstanding.size() == 2);
  shred::take_off(directory, {a, 1, 0, 0, "e", true, {}});
  REQUIRE(directory.outstanding.size() == 1);
  CHECK(directory.outstanding[0].id == b);
}

TEST_CASE("a call of many segments takes several items of an intent, and is one again when read") {
  Doomed many{draw(), 7, 20780, 95, "consent_withdrawn", true, {}};
  for (std::uint16_t segment = 0; segment < 127; ++segment)
    for (const TrackName name : {TrackName::caller, TrackName::agent}) many.tracks.emplace_back(name, segment);
  const Doomed next{draw(), 7, 20780, 95, "erased", true, {{TrackName::mixed, 0}}};
  std::vector<Doomed> back;
  std::size_t items = 0;
  for (const Doomed& d : {many, next}) {
    for (const auto& item : shred::encode_doomed(d)) {
      ++items;
      CHECK(item.size() <= journal::kMaxItemBytes);
      const auto part = shred::decode_doomed(item);
      REQUIRE(part);
      shred::join_doomed(back, *part);
    }
  }
  CHECK(items > 10);
  REQUIRE(back.size() == 2);
  CHECK(back[0].id == many.id);
  CHECK(back[0].tracks == many.tracks);
  CHECK(back[1].tracks == next.tracks);
}

TEST_CASE("an intent's line reads back, and a damaged one is refused") {
  const Doomed d{draw(), 7, 20780, 95, "consent_withdrawn", false, {{TrackName::agent, 0}, {TrackName::agent, 3}}};
  REQUIRE(shred::encode_doomed(d).size() == 1);
  const std::string line = shred::encode_doomed(d).front();
  const auto back = shred::decode_doomed(line);
  REQUIRE(back);
  CHECK(shred::encode_doomed(*back) == std::vector{line});
  CHECK(back->id == d.id);
  CHECK(back->tracks == d.tracks);
  CHECK_FALSE(back->whole);
  CHECK(back->names() == std::set{TrackName::agent});
  const Doomed bare{draw(), 1, 0, 0, "erased", true, {}};
  REQUIRE(shred::decode_doomed(shred::encode_doomed(bare).front()));
  CHECK(shred::decode_doomed(shred::encode_doomed(bare).front())->whole);

  for (const std::string& wrong :
       {std::string(), line + " more", line.substr(1), line.substr(0, line.rfind('.')), line + "x", line + ",nobody.1"})
    CHECK_MESSAGE(!shred::decode_doomed(wrong), wrong);
  // Numbers that are none, or larger than any.
  for (const auto& [old, fresh] : {std::pair<std::string, std::string>{" 7 ", " x "},
                                   {" 7 ", " 4294967296 "},
                                   {" 95 ", " x "},
                                   {" 95 ", " 18446744073709551616 "},
                                   {"agent.3", "agent.65536"}}) {
    std::string other = line;
    other.replace(other.find(old), old.size(), fresh);
    CHECK_MESSAGE(!shred::decode_doomed(other), other);
  }
  // Neither "whole" nor "part": it must not be guessed which.
  std::string vague = line;
  vague.replace(vague.find(" part "), 6, " pert ");
  CHECK_FALSE(shred::decode_doomed(vague));
}
