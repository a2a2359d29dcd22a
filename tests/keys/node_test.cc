// Bucket nodes: what goes in comes out, and no damaged byte does.
#include "keys/node.h"

#include <doctest/doctest.h>
#include <sys/mman.h>

#include <algorithm>
#include <fstream>
#include <initializer_list>
#include <list>
#include <random>

#include "base/text.h"
#include "crypto/random.h"
#include "keys/directory.h"
#include "keys/node_file.h"
#include "keys/support.h"

namespace {

using namespace callvault;
using base::Bytes;
using base::ByteView;
using keys::Node;
using keys::NodeRow;
using keys_test::fixed_key;
using keys_test::id_of;
using keys_test::vector_file;

constexpr Time kStart{std::chrono::milliseconds(1'795'426'342'123)};

// Rows whose secrets live in the list they were made with.
struct Rows {
  std::vector<NodeRow> rows;
  std::list<crypto::Key> secrets;

  ByteView secret(std::uint8_t fill) {
    secrets.push_back(fixed_key(fill));
    return secrets.back().reveal();
  }
  NodeRow& add(std::uint8_t id) {
    NodeRow row;
    row.id = id_of(id);
    row.started_at = kStart;
    row.expires_at = kStart + std::chrono::hours(24 * 181);
    row.consent_since = kStart + std::chrono::seconds(4);
    row.record_secret = secret(id);
    rows.push_back(std::move(row));
    return rows.back();
  }
};

Rows varied_rows() {
  Rows out;
  NodeRow& a = out.add(9);
  a.basis = Basis::legitimate_interest;
  a.caller_consent = Consent::withdrawn;
  a.agent_consent = Consent::granted;
  a.restricted = true;
  a.caller_shredded = true;
  a.flags = {true, false, true};
  a.duration_s = 4'000'000'000U;
  a.intake = {1, 7, 4'000'000'000U};
  a.holds = {{"dosar 12/2026 \xc8\x99i altele", kStart}, {"", std::nullopt}};
  a.tracks = {{TrackName::caller, 0, crypto::blake2b({}), out.secret(0x91)},
              {TrackName::agent, 65535, crypto::blake2b(base::as_bytes("x")), out.secret(0x92)}};
  NodeRow& b = out.add(2);
  b.in_progress = true;
  b.flags = {false, true, false};
  out.add(5).tracks = {{TrackName::mixed, 1, {}, out.secret(0x51)}};
  return out;
}

crypto::SecretBuffer encoded(std::vector<NodeRow> rows) {
  auto plain = keys::encode_node(rows);
  REQUIRE(plain.has_value());
  return std::move(*plain);
}

Node parsed(ByteView plain) {
  auto copy = crypto::SecretBuffer::copy_of(plain);
  REQUIRE(copy.has_value());
  auto node = Node::parse(std::move(*copy));
  REQUIRE(node.has_value());
  return std::move(*node);
}

void check_same(const NodeRow& a, const NodeRow& b) {
  CHECK(a.id == b.id);
  CHECK(a.started_at == b.started_at);
  CHECK(a.expires_at == b.expires_at);
  CHECK(a.consent_since == b.consent_since);
  CHECK(a.basis == b.basis);
  CHECK(a.caller_consent == b.caller_consent);
  CHECK(a.agent_consent == b.agent_consent);
  CHECK(a.restricted == b.restricted);
  CHECK(a.caller_shredded == b.caller_shredded);
  CHECK(a.in_progress == b.in_progress);
  CHECK(a.flags == b.flags);
  CHECK(a.duration_s == b.duration_s);
  CHECK(a.intake == b.intake);
  CHECK(crypto::equal(a.record_secret, b.record_secret));
  REQUIRE(a.holds.size() == b.holds.size());
  for (std::size_t i = 0; i < a.holds.size(); ++i) {
    CHECK(a.holds[i].matter == b.holds[i].matter);
    CHECK(a.holds[i].until == b.holds[i].until);
  }
  REQUIRE(a.tracks.size() == b.tracks.size());
  for (std::size_t i = 0; i < a.tracks.size(); ++i) {
    CHECK(a.tracks[i].name == b.tracks[i].name);
    CHECK(a.tracks[i].segment == b.tracks[i].segment);
    CHECK(a.tracks[i].header_hash == b.tracks[i].header_hash);
    CHECK(crypto::equal(a.tracks[i].secret, b.tracks[i].secret));
  }
}

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

Bytes sealed(const crypto::SecretBuffer& plain, std::uint32_t bucket, std::uint64_t generation,
             const crypto::Key& key) {
  auto file = keys::seal_node(plain, bucket, generation, key);
  REQUIRE(file.has_value());
  return std::move(*file);
}

Result<keys::NodeReader> reader_of(const Bytes& file, const crypto::Key& key) {
  const int fd = ::memfd_create("node", MFD_CLOEXEC);
  os::File memory(fd, "node");
  REQUIRE(memory.write_at(file, 0).has_value());
  return keys::NodeReader::open(std::move(memory), 3, 8, key);
}

// Many pieces: some hundred rows, one of them longer than a piece.
Rows many() {
  Rows in;
  for (int i = 0; i < 250; ++i) in.add(static_cast<std::uint8_t>(i));
  in.rows[77].holds = {Hold{std::string(9000, 'm'), std::nullopt}};
  return in;
}

TEST_CASE("single rows are found without opening the rest") {
  Rows in = many();
  const auto plain = encoded(in.rows);
  const auto key = fixed_key(0x6b);
  Bytes file = sealed(plain, 3, 8, key);
  const auto whole = keys::open_node(file, 3, 8, key);
  REQUIRE(whole.has_value());
  CHECK(whole->size() == 250);
  {
    auto reader = reader_of(file, key);
    REQUIRE(reader.has_value());
    for (const NodeRow& row : in.rows) {
      const auto found = reader->find(row.id);
      REQUIRE(found.has_value());
      REQUIRE(found->has_value());
      check_same(**found, row);
    }
    for (const int other : {250, 255}) {
      const auto none = reader->find(id_of(static_cast<std::uint8_t>(other)));
      REQUIRE(none.has_value());
      CHECK(!none->has_value());
    }
  }
  // Damage in the last piece: who does not touch it does not see it, and who does gets nothing.
  file.back() ^= std::byte{1};
  CHECK(!keys::open_node(file, 3, 8, key).has_value());
  auto reader = reader_of(file, key);
  REQUIRE(reader.has_value());
  CHECK(reader->find(in.rows.front().id).has_value());
  const auto last = reader->find(in.rows.back().id);
  REQUIRE(!last.has_value());
  CHECK(last.error().code == Errc::corrupt);
}

TEST_CASE("one row of a full node costs a few of its pieces, wherever it stands") {
  Rows in;
  const ByteView secret = in.secret(7);
  std::mt19937_64 random(11);
  for (std::size_t i = 0; i < keys::kBucketCapacity; ++i) {
    std::array<std::byte, RecordingId::kBytes> id{};
    for (auto& b : id) b = static_cast<std::byte>(random());
    NodeRow row;
    row.id = RecordingId(id);
    row.started_at = row.expires_at = row.consent_since = kStart;
    row.record_secret = secret;
    row.tracks = {{TrackName::mixed, 0, {}, secret}};
    in.rows.push_back(std::move(row));
  }
  const auto plain = encoded(in.rows);
  REQUIRE(plain.size() / keys::kNodePieceBytes > 60);
  const auto key = fixed_key(0x6b);
  const Bytes file = sealed(plain, 3, 8, key);
  std::size_t most = 0, all = 0;
  constexpr std::size_t kAsked = 256;
  for (std::size_t i = 0; i < kAsked; ++i) {
    auto reader = reader_of(file, key);
    REQUIRE(reader.has_value());
    const auto& wanted = in.rows[i * in.rows.size() / kAsked].id;
    const auto found = reader->find(wanted);
    REQUIRE(found.has_value());
    REQUIRE(found->has_value());
    CHECK((*found)->id == wanted);
    most = std::max(most, reader->pieces_opened());
    all += reader->pieces_opened();
  }
  MESSAGE("pieces: " << static_cast<double>(all) / kAsked << " on average, at most " << most);
  CHECK(most <= 6);
  CHECK(2 * all <= 7 * kAsked);
}

TEST_CASE("pieces cannot change places, be cut off or come from another node") {
  Rows in = many();
  const auto plain = encoded(in.rows);
  const auto key = fixed_key(0x6b);
  const Bytes file = sealed(plain, 3, 8, key);
  constexpr std::size_t kPiece = keys::kNodePieceBytes + 16;
  const auto refused = [&](const Bytes& bad) {
    if (keys::open_node(bad, 3, 8, key)) return false;
    auto reader = reader_of(bad, key);
    if (!reader) return true;
    return std::any_of(in.rows.begin(), in.rows.end(), [&](const NodeRow& row) { return !reader->find(row.id); });
  };
  REQUIRE(!refused(file));
  Bytes swapped = file;
  std::swap_ranges(swapped.begin() + 48, swapped.begin() + 48 + kPiece, swapped.begin() + 48 + kPiece);
  CHECK(refused(swapped));
  CHECK(refused(Bytes(file.begin(), file.begin() + 48 + 2 * kPiece)));
  Bytes mixed = sealed(plain, 3, 8, key);
  std::copy_n(file.begin() + 48 + kPiece, kPiece, mixed.begin() + 48 + kPiece);
  CHECK(refused(mixed));
}

TEST_CASE("a plaintext that fills its last piece opens") {
  for (const std::size_t extra : {0U, 1U}) {
    Rows in;
    in.add(1);
    const std::size_t without = encoded(in.rows).size();
    in.rows[0].holds = {Hold{std::string(keys::kNodePieceBytes - without - 11 + extra, 'm'), std::nullopt}};
    const auto plain = encoded(in.rows);
    REQUIRE(plain.size() == keys::kNodePieceBytes + extra);
    const auto key = fixed_key(0x6b);
    const Bytes file = sealed(plain, 3, 8, key);
    CHECK(file.size() == 48 + plain.size() + 16 * (1 + extra));
    CHECK(keys::open_node(file, 3, 8, key).has_value());
    auto reader = reader_of(file, key);
    REQUIRE(reader.has_value());
    const auto found = reader->find(in.rows[0].id);
    CHECK((found.has_value() && found->has_value()));
  }
}

TEST_CASE("every truncation of a sealed node, and every flipped bit, is found") {
  Rows in = varied_rows();
  const auto plain = encoded(in.rows);
  const auto key = fixed_key(0x6b);
  const Bytes file = sealed(plain, 3, 8, key);
  REQUIRE(keys::open_node(file, 3, 8, key).has_value());
  for (std::size_t size = 0; size < file.size(); ++size) {
    const auto node = keys::open_node(ByteView(file).first(size), 3, 8, key);
    REQUIRE(!node.has_value());
    REQUIRE(node.error().code == Errc::corrupt);
  }
  Bytes longer = file;
  longer.push_back(std::byte{0});
  CHECK(!keys::open_node(longer, 3, 8, key).has_value());
  for (std::size_t bit = 0; bit < file.size() * 8; ++bit) {
    Bytes bad = file;
    bad[bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
    const auto node = keys::open_node(bad, 3, 8, key);
    REQUIRE(!node.has_value());
    // In the version, a set bit names a later one.
    const bool version = bit / 8 == 8 || bit / 8 == 9;
    REQUIRE((node.error().code == Errc::corrupt || (version && node.error().code == Errc::newer_version)));
  }
}

TEST_CASE("a node opens only as what it was written as") {
  Rows in = varied_rows();
  const auto plain = encoded(in.rows);
  const auto key = fixed_key(0x6b);
  const Bytes file = sealed(plain, 3, 8, key);
  CHECK(!keys::open_node(file, 3, 7, key).has_value());
  CHECK(!keys::open_node(file, 2, 8, key).has_value());
  CHECK(!keys::open_node(file, 3, 8, fixed_key(0x6c)).has_value());
  // The same content sealed again: another salt, so no byte of it says what changed.
  CHECK(sealed(plain, 3, 8, key) != file);
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
