// Node files: single rows are found in a few pieces, and no piece opens as anything else.
#include <sys/mman.h>

#include <algorithm>
#include <random>

#include "keys/directory.h"
#include "keys/node_support.h"

namespace {

using namespace callvault;
using namespace node_test;

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

}  // namespace
