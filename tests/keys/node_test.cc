// Bucket nodes: what goes in comes out, and no damaged byte does.
#include <sys/mman.h>

#include <algorithm>
#include <fstream>
#include <initializer_list>
#include <random>

#include "crypto/random.h"
#include "keys/directory.h"
#include "keys/node_support.h"

namespace {

using namespace callvault;
using namespace node_test;
using keys_test::vector_file;

// Errc of a parse and a full read; a damaged node must not give rows.
Errc read_all(ByteView plain) {
  auto copy = crypto::SecretBuffer::copy_of(plain);
  REQUIRE(copy.has_value());
  const auto node = Node::parse(std::move(*copy));
  if (!node) return node.error().code;
  const auto rows = node->rows();
  return rows ? Errc::unexpected : rows.error().code;
}

TEST_CASE("a node gives back every field of every row") {
  Rows in = varied_rows();
  const auto plain = encoded(in.rows);
  const Node node = parsed(plain.reveal());
  std::sort(in.rows.begin(), in.rows.end(), [](const auto& a, const auto& b) { return a.id < b.id; });
  const auto rows = node.rows();
  REQUIRE(rows.has_value());
  REQUIRE(rows->size() == in.rows.size());
  for (std::size_t i = 0; i < rows->size(); ++i) check_same((*rows)[i], in.rows[i]);

  for (const auto& row : in.rows) {
    const auto found = node.find(row.id);
    REQUIRE((found.has_value() && found->has_value()));
    check_same(**found, row);
  }
  for (const std::uint8_t absent : std::initializer_list<std::uint8_t>{1, 3, 7, 10}) {
    const auto found = node.find(id_of(absent));
    REQUIRE(found.has_value());
    CHECK(!found->has_value());
  }
}

TEST_CASE("corrections and a deferred erasure come back") {
  Rows rows = varied_rows();
  const RecordingId id = rows.rows.front().id;
  rows.rows.front().corrections = {{keys::CorrectedField::caller, "+40722000001"}, {keys::CorrectedField::call_id, ""}};
  rows.rows.front().deferred = keys::DeferredErasure{kStart, "R-2026-0001", "asked by letter"};
  const auto plain = keys::encode_node(rows.rows);
  REQUIRE(plain.has_value());
  const auto file = keys::seal_node(*plain, 3, 2, fixed_key(1));
  REQUIRE(file.has_value());
  CHECK((*file)[8] == std::byte{2});
  const auto node = keys::open_node(*file, 3, 2, fixed_key(1));
  REQUIRE(node.has_value());
  const auto row = node->find(id);
  REQUIRE(row.has_value());
  REQUIRE(row->has_value());
  REQUIRE((*row)->corrections.size() == 2);
  CHECK((*row)->corrections[0].value == "+40722000001");
  CHECK((*row)->corrections[1].field == keys::CorrectedField::call_id);
  REQUIRE((*row)->deferred.has_value());
  CHECK((*row)->deferred->since == kStart);
  CHECK((*row)->deferred->request == "R-2026-0001");
  CHECK((*row)->deferred->reason == "asked by letter");
  // The version is part of what is sealed.
  auto other = *file;
  other[8] = std::byte{1};
  CHECK(keys::open_node(other, 3, 2, fixed_key(1)).error().code == Errc::corrupt);
  // Twice the same field is damage.
  for (auto& r : rows.rows)  // they were sorted
    if (r.id == id) r.corrections[1].field = keys::CorrectedField::caller;
  auto twice = keys::encode_node(rows.rows);
  REQUIRE(twice.has_value());
  const auto parsed = Node::parse(std::move(*twice));
  CHECK((!parsed || !parsed->rows()));
}

TEST_CASE("a full bucket has room and is found in; one more is refused") {
  Rows in;
  const ByteView shared = in.secret(7);
  for (std::size_t i = 0; i < keys::kBucketCapacity; ++i) {
    std::array<std::byte, RecordingId::kBytes> id{};
    id[3] = static_cast<std::byte>(i & 0xff);
    id[9] = static_cast<std::byte>(i >> 8);
    NodeRow row;
    row.id = RecordingId(id);
    row.record_secret = shared;
    row.tracks = {{TrackName::caller, 0, {}, shared}, {TrackName::agent, 0, {}, shared}};
    in.rows.push_back(row);
  }
  const Node node = parsed(encoded(in.rows).reveal());
  CHECK(node.size() == keys::kBucketCapacity);
  for (const auto& row : in.rows) {
    const auto found = node.find(row.id);
    REQUIRE((found.has_value() && found->has_value()));
    REQUIRE((*found)->id == row.id);
  }
  in.add(0xee);
  CHECK(!keys::encode_node(in.rows).has_value());
}

TEST_CASE("an empty node") {
  std::vector<NodeRow> none;
  const auto plain = encoded(none);
  CHECK(plain.size() == 4);
  CHECK(parsed(plain.reveal()).size() == 0);
  const auto found = Node::empty().find(id_of(1));
  REQUIRE(found.has_value());
  CHECK(!found->has_value());
}

TEST_CASE("what a node cannot hold is refused before anything is written") {
  const auto refused = [](const auto& change) {
    Rows in;
    in.add(1);
    change(in);
    const auto plain = keys::encode_node(in.rows);
    REQUIRE(!plain.has_value());
    return plain.error().code;
  };
  CHECK(refused([](Rows& in) { in.rows[0].holds.resize(256); }) == Errc::refused);
  CHECK(refused([](Rows& in) { in.rows[0].intake.resize(256); }) == Errc::refused);
  CHECK(refused([](Rows& in) { in.rows[0].tracks.resize(256); }) == Errc::refused);
  CHECK(refused([](Rows& in) { in.rows[0].holds = {{std::string(65536, 'x'), {}}}; }) == Errc::refused);
  CHECK(refused([](Rows& in) { in.rows[0].record_secret = {}; }) == Errc::unexpected);
  CHECK(refused([](Rows& in) { in.rows[0].tracks.resize(1); }) == Errc::unexpected);
  CHECK(refused([](Rows& in) { in.add(1); }) == Errc::unexpected);
}

TEST_CASE("the largest counts fit") {
  Rows in;
  NodeRow& row = in.add(1);
  row.holds.assign(255, Hold{"m", kStart});
  row.intake.assign(255, 3);
  row.tracks.assign(255, {TrackName::agent, 2, {}, in.secret(3)});
  in.add(2);
  const auto rows = parsed(encoded(in.rows).reveal());
  const auto first = rows.row(0);
  REQUIRE(first.has_value());
  check_same(*first, in.rows[0]);
}

TEST_CASE("damage inside the seal is corrupt, or harmless, and never crashes") {
  Rows in = varied_rows();
  const auto plain = encoded(in.rows);
  const Bytes bytes = base::to_bytes(plain.reveal());
  for (std::size_t size = 0; size < bytes.size(); ++size)
    REQUIRE(read_all(ByteView(bytes).first(size)) == Errc::corrupt);
  Bytes longer = bytes;
  longer.push_back(std::byte{0});
  CHECK(read_all(longer) == Errc::corrupt);
  std::mt19937 random(7);
  for (int round = 0; round < 3000; ++round) {
    Bytes bad = bytes;
    for (auto n = 1 + random() % 3; n > 0; --n) bad[random() % bad.size()] = static_cast<std::byte>(random());
    auto copy = crypto::SecretBuffer::copy_of(bad);
    REQUIRE(copy.has_value());
    auto node = Node::parse(std::move(*copy));
    if (!node) continue;
    auto rows = node->rows();
    if (!rows) continue;
    // A node has one spelling: what is read is exactly what lies there.
    const auto again = keys::encode_node(*rows);
    REQUIRE(again.has_value());
    REQUIRE(base::to_bytes(again->reveal()) == bad);
  }
}

TEST_CASE("rows that overlap, leave gaps or are out of order are damage") {
  Rows in;
  in.add(1);
  in.add(2);
  const Bytes good = base::to_bytes(encoded(in.rows).reveal());
  const auto with = [&](std::size_t at, std::uint8_t value) {
    Bytes bad = good;
    bad[at] = static_cast<std::byte>(value);
    return read_all(bad);
  };
  CHECK(with(0, 1) == Errc::corrupt);     // one row less than there are
  CHECK(with(0, 3) == Errc::corrupt);     // one more
  CHECK(with(2, 0xff) == Errc::corrupt);  // far more than a bucket may have
  CHECK(with(4, 13) == Errc::corrupt);    // the first begins late
  CHECK(with(8, 12) == Errc::corrupt);    // the second is the first
  CHECK(with(12, 9) == Errc::corrupt);    // the ids are no longer ascending
}

// What version 2 added is one flag.
void check_frozen(const std::string& version, bool caller_shredded) {
  const Bytes file = vector_file("node_" + version + ".hex");
  auto node = keys::open_node(file, 3, 2, fixed_key(0x22));
  REQUIRE(node.has_value());
  auto rows = node->rows();
  REQUIRE(rows.has_value());
  REQUIRE(rows->size() == 1);
  const NodeRow& row = rows->front();
  CHECK(row.id == id_of(0x0a));
  CHECK(row.started_at == Time(std::chrono::milliseconds(1'795'426'342'123)));
  CHECK(row.expires_at == Time(std::chrono::milliseconds(1'811'064'742'123)));
  CHECK(row.consent_since == row.started_at);
  CHECK(row.duration_s == 187);
  CHECK(row.basis == Basis::consent);
  CHECK(row.caller_consent == Consent::implied);
  CHECK(row.agent_consent == Consent::unknown);
  CHECK(row.flags == Flags{false, true, false});
  CHECK(!row.restricted);
  CHECK(row.caller_shredded == caller_shredded);
  CHECK(crypto::equal(row.record_secret, fixed_key(0x50).reveal()));
  CHECK(row.intake == std::vector<std::uint32_t>{1});
  REQUIRE(row.holds.size() == 1);
  CHECK(row.holds[0].matter == "12/2026");
  CHECK(row.holds[0].until == Time(std::chrono::milliseconds(1'811'064'742'124)));
  REQUIRE(row.tracks.size() == 1);
  CHECK(row.tracks[0].name == TrackName::caller);
  CHECK(row.tracks[0].segment == 0);
  CHECK(row.tracks[0].header_hash == keys_test::filled<crypto::Digest>(0x48));
  CHECK(crypto::equal(row.tracks[0].secret, fixed_key(0x51).reveal()));
  const auto plain = keys::encode_node(*rows);
  REQUIRE(plain.has_value());
  CHECK(base::to_bytes(plain->reveal()) == vector_file("node_" + version + "_plain.hex"));
}

TEST_CASE("frozen bytes of versions 1 and 2 open, say what they said, and are spelled the same") {
  CHECK(keys_test::example("Node 3.2") == vector_file("node_v2.hex"));
  CHECK(keys_test::example("Node 3.2, opened") == vector_file("node_v2_plain.hex"));
  check_frozen("v1", false);
  check_frozen("v2", true);
}

}  // namespace
