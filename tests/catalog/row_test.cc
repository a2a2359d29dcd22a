#include "catalog/row.h"

#include <set>

#include "catalog/catalog_fixture.h"

using namespace callvault;
using namespace callvault::catalog;

namespace {

Row full_row() {
  Row row;
  row.direction = Direction::out;
  row.caller = "+40721000000";
  row.called = "+40215550100";
  row.agent = "ana";
  row.call_id = "a84b4c76e66710";
  row.notice = "2026-03";
  row.notice_played = false;
  row.ended_at = Time(std::chrono::milliseconds(1'795'000'000'123));
  row.duration_ms = 61'250;
  row.flags.interrupted = true;
  row.tracks = {{TrackName::caller, 0, 8000, 125'000}, {TrackName::agent, 3, 16000, 9}};
  return row;
}

}  // namespace

TEST_CASE("a row comes back as it was sealed, and only under its secret and id") {
  REQUIRE(crypto::ready());
  const crypto::Key secret = random_key(), other = random_key();
  const RecordingId id = random_id();
  const Row row = full_row();
  auto sealed = seal_row(row, secret, id);
  REQUIRE(sealed);
  CHECK(sealed->size() % kRowBlock == 40);  // nonce and tag
  auto opened = open_row(*sealed, secret, id);
  REQUIRE(opened);
  CHECK(opened->direction == row.direction);
  CHECK(opened->caller == row.caller);
  CHECK(opened->called == row.called);
  CHECK(opened->agent == row.agent);
  CHECK(opened->call_id == row.call_id);
  CHECK(opened->notice == row.notice);
  CHECK(opened->notice_played == row.notice_played);
  CHECK(opened->ended_at == row.ended_at);
  CHECK(opened->duration_ms == row.duration_ms);
  CHECK(opened->flags == row.flags);
  REQUIRE(opened->tracks.size() == 2);
  CHECK(opened->tracks[1].segment == 3);
  CHECK(opened->tracks[0].sealed_bytes == 125'000);

  CHECK(open_row(*sealed, other, id).error().code == Errc::corrupt);
  CHECK(open_row(*sealed, secret, random_id()).error().code == Errc::corrupt);
  for (std::size_t i = 0; i < sealed->size(); ++i) {
    Bytes flipped = *sealed;
    flipped[i] ^= std::byte{1};
    CHECK_FALSE(open_row(flipped, secret, id));
  }
}

TEST_CASE("the size of a row does not tell the length of a name") {
  std::set<std::size_t> sizes;
  for (int length = 1; length <= 16; ++length) {
    Row row;
    row.caller.assign(static_cast<std::size_t>(length), 'x');
    auto plain = encode_row(row);
    REQUIRE(plain);
    sizes.insert(plain->size());
  }
  CHECK(sizes.size() == 1);
}

TEST_CASE("plaintexts that were not written so are refused") {
  auto plain = encode_row(full_row());
  REQUIRE(plain);
  REQUIRE(decode_row(*plain));
  for (std::size_t length = 0; length < plain->size(); ++length)
    CHECK_FALSE(decode_row(ByteView(*plain).first(length)));
  Bytes longer = *plain;
  longer.resize(longer.size() + kRowBlock);
  CHECK_FALSE(decode_row(longer));
  longer = *plain;
  longer.back() = std::byte{1};
  CHECK_FALSE(decode_row(longer));
  // Whatever is accepted reads the same when written again.
  std::mt19937 random(1);
  for (int i = 0; i < 20'000; ++i) {
    Bytes changed = *plain;
    changed[random() % changed.size()] = static_cast<std::byte>(random());
    if (auto row = decode_row(changed); row) CHECK(*encode_row(*row) == changed);
  }
  Row row;
  row.agent.assign(kMaxRowText + 1, 'x');
  CHECK(encode_row(row).error().code == Errc::usage);
  row = {};
  row.tracks.resize(kMaxRowTracks + 1);
  CHECK(encode_row(row).error().code == Errc::usage);
}

TEST_CASE("tokens differ by key, field, value and k") {
  REQUIRE(crypto::ready());
  const crypto::Key key = random_key(), other = random_key();
  std::set<Token> tokens;
  for (std::uint32_t k = 0; k < 100; ++k)
    for (const Field field : {Field::caller, Field::called, Field::agent, Field::call_id})
      for (const char* value : {"", "1", "11"}) {
        tokens.insert(blind(key, field, value, k));
        tokens.insert(blind(other, field, value, k));
      }
  CHECK(tokens.size() == 100 * 4 * 3 * 2);
  CHECK(blind(key, Field::agent, "ana", 7) == blind(key, Field::agent, "ana", 7));
  Blinder blinder(key);
  CHECK(blinder.next(Field::agent, "ana") == blind(key, Field::agent, "ana", 0));
  CHECK(blinder.next(Field::agent, "ana") == blind(key, Field::agent, "ana", 1));
  CHECK(blinder.next(Field::caller, "ana") == blind(key, Field::caller, "ana", 0));
}
