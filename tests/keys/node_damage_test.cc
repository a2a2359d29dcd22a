// Nodes whose bytes authenticate and say what no node may say, and files that change under a reader.
#include <filesystem>

#include "base/bytes.h"
#include "crypto/aead.h"
#include "keys/directory.h"
#include "keys/node_file.h"
#include "keys/support.h"

namespace {

using namespace callvault;
using base::Bytes;
using base::ByteView;
using keys::NodeReader;
using keys::NodeRow;
using keys_test::fixed_key;
using keys_test::id_of;

const crypto::Key& node_key() {
  static const crypto::Key key = fixed_key(0x6b);
  return key;
}
const crypto::Key& secret() {
  static const crypto::Key key = fixed_key(0x50);
  return key;
}

NodeRow plain_row(std::uint8_t id) {
  NodeRow row;
  row.id = id_of(id);
  row.record_secret = secret().reveal();
  return row;
}

Bytes plain_of(std::vector<NodeRow> rows) {
  auto plain = keys::encode_node(rows);
  REQUIRE(plain.has_value());
  return base::to_bytes(plain->reveal());
}

Bytes file_of(ByteView plain) {
  const auto copy = crypto::SecretBuffer::copy_of(plain);
  REQUIRE(copy.has_value());
  auto file = keys::seal_node(*copy, 3, 8, node_key());
  REQUIRE(file.has_value());
  return std::move(*file);
}

class Reading {
 public:
  Result<NodeReader> open(ByteView file) {
    REQUIRE(os::remove_file(path()).has_value());
    REQUIRE(os::write_new_file(path(), file).has_value());
    return again();
  }
  Result<NodeReader> again() { return NodeReader::open(os::File::open_read(path()).value(), 3, 8, node_key()); }
  os::Path path() const { return folder_.path() / "3.8"; }

 private:
  keys_test::TempFolder folder_;
};

void put32(Bytes& bytes, std::size_t at, std::uint32_t value) {
  base::FieldWriter(base::MutableBytes(bytes).subspan(at)).number(value);
}

Errc answer_of(Result<NodeReader> reader, std::uint8_t id) {
  if (!reader) return reader.error().code;
  const auto found = reader->find(id_of(id));
  if (!found) return found.error().code;
  return found->has_value() ? Errc::interrupted : Errc::not_found;
}

}  // namespace

TEST_CASE("a node's file that is no node's length, or larger than one may be, is damage") {
  Reading reading;
  const Bytes good = file_of(plain_of({plain_row(1)}));
  CHECK(answer_of(reading.open(good), 1) == Errc::interrupted);
  CHECK(answer_of(reading.open(ByteView(good).first(48 + 7)), 1) == Errc::corrupt);
  CHECK(answer_of(reading.open(ByteView(good).first(48)), 1) == Errc::corrupt);
  CHECK(answer_of(reading.open(ByteView(good).first(20)), 1) == Errc::corrupt);
  std::filesystem::resize_file(reading.path(), keys::kMaxNodeBytes + (std::size_t{1} << 20));
  CHECK(answer_of(reading.again(), 1) == Errc::corrupt);
  REQUIRE(reading.open(good).has_value());
  std::filesystem::resize_file(reading.path(), keys::kMaxNodeBytes + (std::size_t{1} << 20));
  CHECK(answer_of(reading.again(), 1) == Errc::corrupt);
}

TEST_CASE("rows that a sealed node places where they cannot be are damage, row by row") {
  Reading reading;
  const Bytes good = plain_of({plain_row(1), plain_row(2)});
  const std::uint32_t first = 12, second = first + (static_cast<std::uint32_t>(good.size()) - first) / 2;
  const auto with = [&](std::size_t at, std::uint32_t value, std::uint8_t id) {
    Bytes bad = good;
    put32(bad, at, value);
    return answer_of(reading.open(file_of(bad)), id);
  };
  CHECK(with(0, 2, 1) == Errc::interrupted);
  CHECK(with(0, keys::kBucketCapacity + 1, 1) == Errc::corrupt);                    // more than a bucket has
  CHECK(with(4, static_cast<std::uint32_t>(good.size()) - 8, 1) == Errc::corrupt);  // reaches beyond the end
  CHECK(with(4, static_cast<std::uint32_t>(good.size()) + 1, 1) == Errc::corrupt);  // begins beyond it
  CHECK(with(8, second + 1, 2) != Errc::interrupted);                               // begins late
  CHECK(answer_of(reading.open(file_of(plain_of({plain_row(1), plain_row(3)}))), 2) == Errc::not_found);

  // The second stands before the first, and the first too near to it.
  for (const std::uint32_t begin : {first - 8, first + 8}) {
    Bytes bad = good;
    put32(bad, 8, begin);
    const auto id = id_of(2);
    std::copy(id.bytes().begin(), id.bytes().end(), bad.begin() + begin);
    CAPTURE(begin);
    CHECK(answer_of(reading.open(file_of(bad)), 1) != Errc::interrupted);
  }
}

TEST_CASE("a row's end that lies before its begin, or too near to it, is damage") {
  Reading reading;
  // Ids spread as they are: the middle row is looked at first, and the third not at all.
  const Bytes good = plain_of({plain_row(0), plain_row(0x80), plain_row(0xff)});
  const std::uint32_t rows = 16, row = (static_cast<std::uint32_t>(good.size()) - rows) / 3;
  CHECK(answer_of(reading.open(file_of(good)), 0x80) == Errc::interrupted);
  for (const std::uint32_t end : {rows, rows + row + 10}) {
    Bytes bad = good;
    put32(bad, 12, end);  // of the second row: where the third begins
    CAPTURE(end);
    CHECK(answer_of(reading.open(file_of(bad)), 0x80) == Errc::corrupt);
  }
}

TEST_CASE("a node's file that gets shorter under its reader is damage") {
  Reading reading;
  NodeRow first = plain_row(1);
  first.holds = {Hold{std::string(20'000, 'm'), std::nullopt}};
  const Bytes file = file_of(plain_of({first, plain_row(2)}));
  auto reader = reading.open(file);
  REQUIRE(reader.has_value());
  std::filesystem::resize_file(reading.path(), file.size() - 1);
  const auto found = reader->find(id_of(2));
  REQUIRE_FALSE(found.has_value());
  CHECK(found.error().code == Errc::corrupt);
}

TEST_CASE("a correction or a deferral whose texts are too long is not written") {
  const std::string longest(0xffff, 'x'), too_long(0x10000, 'x');
  const auto code_of = [](const NodeRow& row) {
    std::vector<NodeRow> rows{row};
    const auto plain = keys::encode_node(rows);
    return plain ? Errc::interrupted : plain.error().code;
  };
  NodeRow row = plain_row(1);
  row.corrections = {{keys::CorrectedField::agent, longest}};
  CHECK(code_of(row) == Errc::interrupted);
  row.deferred = keys::DeferredErasure{Time{}, longest, longest};
  CHECK(code_of(row) == Errc::interrupted);
  row.deferred->request = too_long;
  CHECK(code_of(row) == Errc::refused);
  row.deferred = keys::DeferredErasure{Time{}, "R-1", too_long};
  CHECK(code_of(row) == Errc::refused);
  row.deferred.reset();
  row.corrections[0].value = too_long;
  CHECK(code_of(row) == Errc::refused);
}

TEST_CASE("corrections of no known field, or cut short, are damage") {
  NodeRow row = plain_row(1);
  row.corrections = {{keys::CorrectedField::caller, "a"}, {keys::CorrectedField::call_id, "b"}};
  const Bytes plain = plain_of({row});
  const ByteView bytes = ByteView(plain).subspan(8);
  REQUIRE(keys::decode_row(bytes).has_value());
  // field, length, "a", field, length, "b"
  for (const unsigned field : {0U, 5U, 255U}) {
    Bytes bad = base::to_bytes(bytes);
    bad[bad.size() - 4] = static_cast<std::byte>(field);
    CHECK_FALSE(keys::decode_row(bad).has_value());
  }
  for (std::size_t cut = 1; cut <= 9; ++cut) CHECK_FALSE(keys::decode_row(bytes.first(bytes.size() - cut)).has_value());
  CHECK(keys::field_name(keys::CorrectedField::call_id) == "call_id");
  CHECK(keys::field_name(static_cast<keys::CorrectedField>(9)).empty());
}
