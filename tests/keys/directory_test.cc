// The directory: what goes in comes out, and no damaged byte does.
#include "keys/directory.h"

#include <doctest/doctest.h>

#include <random>

#include "keys/support.h"

namespace {

using namespace callvault;
using base::Bytes;
using base::ByteView;
using keys::Directory;
using keys_test::filled;
using keys_test::fixed_key;
using keys_test::id_of;
using keys_test::vector_file;

Time at_ms(std::int64_t ms) { return Time(std::chrono::milliseconds(ms)); }
constexpr std::int64_t kStartMs = 1'795'426'342'123;

Directory varied_directory() {
  Directory d;
  d.epoch = 77;
  d.next_bucket = 4'000'000'001U;
  d.next_intake = 12;
  d.review_number = 3;
  d.last_purge = at_ms(kStartMs);
  d.journal_size = 1ULL << 40;
  d.journal_root = filled<crypto::Digest>(0x4a);
  d.journal_seed = fixed_key(0x53);
  d.buckets.emplace(1, keys::Bucket{1, "default", -3, 9, 4096, filled<crypto::Digest>(1), fixed_key(2), fixed_key(3)});
  d.buckets.emplace(4'000'000'000U,
                    keys::Bucket{4'000'000'000U, "vanzari", 20780, 1ULL << 33, 0, {}, fixed_key(4), fixed_key(5)});
  d.intake.emplace(7, keys::IntakePrivate{7, at_ms(kStartMs), fixed_key(6), fixed_key(7)});
  d.intake.emplace(11, keys::IntakePrivate{11, at_ms(0), fixed_key(8), fixed_key(9)});
  d.staff.push_back({"2026-10", fixed_key(10)});
  d.staff.push_back({"2026-11", fixed_key(11)});
  d.people.emplace("ana", keys::PersonEntry{"ana", 3, false, at_ms(1), filled<crypto::SigningPublicKey>(12),
                                            filled<crypto::PublicKey>(13)});
  d.people.emplace("ion", keys::PersonEntry{"ion", 255, true, at_ms(2), {}, {}});
  d.outstanding.push_back({id_of(9), "erased"});
  d.outstanding.push_back({id_of(3), "", TrackName::agent});
  d.outstanding.push_back({id_of(3), "", TrackName::mixed});
  d.registers.emplace("opt-out",
                      keys::Register{"opt-out", 1ULL << 33, filled<crypto::Digest>(14), fixed_key(15), fixed_key(16)});
  d.registers.emplace("requests", keys::Register{"requests", 0, {}, fixed_key(17), fixed_key(18)});
  return d;
}

Bytes plain_of(const Directory& d) {
  const auto plain = keys::encode_directory(d);
  REQUIRE(plain.has_value());
  return base::to_bytes(plain->reveal());
}

TEST_CASE("a directory gives back every field") {
  const Directory in = varied_directory();
  const auto root = fixed_key(1);
  const auto file = keys::seal_directory(in, root);
  REQUIRE(file.has_value());
  const auto epoch = keys::directory_epoch(*file);
  REQUIRE(epoch.has_value());
  CHECK(*epoch == 77);
  const auto opened = keys::open_directory(*file, root);
  REQUIRE(opened.has_value());
  const Directory& out = *opened;
  CHECK(out.epoch == in.epoch);
  CHECK(out.next_bucket == in.next_bucket);
  CHECK(out.next_intake == in.next_intake);
  CHECK(out.review_number == in.review_number);
  CHECK(out.last_purge == in.last_purge);
  CHECK(out.journal_size == in.journal_size);
  CHECK(out.journal_root == in.journal_root);
  CHECK(crypto::equal(out.journal_seed->reveal(), in.journal_seed->reveal()));
  REQUIRE(out.buckets.size() == 2);
  const auto& bucket = out.buckets.at(1);
  CHECK(bucket.number == 1);
  CHECK(bucket.retention_class == "default");
  CHECK(bucket.day == -3);
  CHECK(bucket.generation == 9);
  CHECK(bucket.recordings == 4096);
  CHECK(bucket.node_hash == filled<crypto::Digest>(1));
  CHECK(crypto::equal(bucket.node_key.reveal(), fixed_key(2).reveal()));
  CHECK(crypto::equal(bucket.index_key.reveal(), fixed_key(3).reveal()));
  CHECK(out.buckets.at(4'000'000'000U).generation == 1ULL << 33);
  REQUIRE(out.intake.size() == 2);
  CHECK(out.intake.at(7).created == at_ms(kStartMs));
  CHECK(crypto::equal(out.intake.at(7).secret.reveal(), fixed_key(6).reveal()));
  CHECK(crypto::equal(out.intake.at(7).pepper.reveal(), fixed_key(7).reveal()));
  REQUIRE(out.staff.size() == 2);
  CHECK(out.staff[1].month == "2026-11");
  CHECK(crypto::equal(out.staff[1].key.reveal(), fixed_key(11).reveal()));
  REQUIRE(out.people.size() == 2);
  CHECK(out.people.at("ana").roles == 3);
  CHECK(!out.people.at("ana").disabled);
  CHECK(out.people.at("ana").signing == filled<crypto::SigningPublicKey>(12));
  CHECK(out.people.at("ana").box == filled<crypto::PublicKey>(13));
  CHECK(out.people.at("ion").disabled);
  CHECK(out.people.at("ion").since == at_ms(2));
  REQUIRE(out.outstanding.size() == 3);
  CHECK(!out.outstanding[0].track.has_value());
  CHECK(out.outstanding[1].track == TrackName::agent);
  CHECK(out.outstanding[2].track == TrackName::mixed);
  CHECK(out.outstanding[0].id == id_of(9));
  CHECK(out.outstanding[0].reason == "erased");
  CHECK(plain_of(out) == plain_of(in));
}

TEST_CASE("a copy is deep and equal") {
  Directory in = varied_directory();
  const auto copy = in.clone();
  REQUIRE(copy.has_value());
  CHECK(copy->epoch == in.epoch);
  const Bytes before = plain_of(in);
  CHECK(plain_of(*copy) == before);
  in.buckets.clear();
  in.journal_seed = fixed_key(0);
  CHECK(plain_of(*copy) == before);
}

TEST_CASE("nothing secret shows in the sealed file, and no two sealings are alike") {
  const Directory in = varied_directory();
  const auto root = fixed_key(1);
  const auto a = keys::seal_directory(in, root);
  const auto b = keys::seal_directory(in, root);
  REQUIRE((a.has_value() && b.has_value()));
  CHECK(*a != *b);
  CHECK(base::as_text(*a).find("default") == std::string_view::npos);
  CHECK(base::as_text(*a).find("erased") == std::string_view::npos);
  const Bytes key = base::to_bytes(fixed_key(6).reveal());
  CHECK(std::search(a->begin(), a->end(), key.begin(), key.end()) == a->end());
}

TEST_CASE("a directory without a journal key, or with too much, is not written") {
  Directory d = varied_directory();
  d.journal_seed.reset();
  CHECK(!keys::encode_directory(d).has_value());
  d = varied_directory();
  d.outstanding.resize(1'000'001);
  const auto encoded = keys::encode_directory(d);
  REQUIRE(!encoded.has_value());
  CHECK(encoded.error().code == Errc::refused);
}

TEST_CASE("every truncation of a sealed directory, and every flipped bit, is found") {
  const auto root = fixed_key(1);
  const auto sealed = keys::seal_directory(varied_directory(), root);
  REQUIRE(sealed.has_value());
  const Bytes& file = *sealed;
  for (std::size_t size = 0; size < file.size(); ++size) {
    const auto opened = keys::open_directory(ByteView(file).first(size), root);
    REQUIRE(!opened.has_value());
    REQUIRE(opened.error().code == Errc::corrupt);
  }
  Bytes longer = file;
  longer.push_back(std::byte{0});
  CHECK(!keys::open_directory(longer, root).has_value());
  for (std::size_t bit = 0; bit < file.size() * 8; ++bit) {
    Bytes bad = file;
    bad[bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
    const auto opened = keys::open_directory(bad, root);
    REQUIRE(!opened.has_value());
    // In the version, a set bit names a later one.
    const bool version = bit / 8 == 8 || bit / 8 == 9;
    REQUIRE((opened.error().code == Errc::corrupt || (version && opened.error().code == Errc::newer_version)));
  }
  const auto other = keys::open_directory(file, fixed_key(2));
  REQUIRE(!other.has_value());
  CHECK(other.error().code == Errc::corrupt);
}

TEST_CASE("damage inside the seal is corrupt, or another directory in its one spelling, and never crashes") {
  const Bytes good = plain_of(varied_directory());
  for (std::size_t size = 0; size < good.size(); ++size) {
    const auto d = keys::decode_directory(ByteView(good).first(size));
    REQUIRE(!d.has_value());
    REQUIRE(d.error().code == Errc::corrupt);
  }
  Bytes longer = good;
  longer.push_back(std::byte{0});
  CHECK(!keys::decode_directory(longer).has_value());
  std::mt19937 random(11);
  for (int round = 0; round < 3000; ++round) {
    Bytes bad = good;
    for (auto n = 1 + random() % 3; n > 0; --n) bad[random() % bad.size()] = static_cast<std::byte>(random());
    const auto d = keys::decode_directory(bad);
    if (!d) {
      REQUIRE(d.error().code == Errc::corrupt);
      continue;
    }
    REQUIRE(plain_of(*d) == bad);
  }
}

TEST_CASE("numbers that were not given out yet, or stand twice, are damage") {
  Directory d = varied_directory();
  d.next_bucket = 4'000'000'000U;
  CHECK(!keys::decode_directory(plain_of(d)).has_value());
  d = varied_directory();
  d.next_intake = 11;
  CHECK(!keys::decode_directory(plain_of(d)).has_value());
  // The second name made the first, in the bytes.
  Bytes bytes = plain_of(varied_directory());
  const std::string ion = "ion";
  const auto at = std::search(bytes.begin(), bytes.end(), base::as_bytes(ion).begin(), base::as_bytes(ion).end());
  REQUIRE(at != bytes.end());
  std::copy_n(base::as_bytes("ana").begin(), 3, at);
  CHECK(!keys::decode_directory(bytes).has_value());
}

TEST_CASE("frozen bytes of version 1 open, say what they said, and are spelled the same but for the registers") {
  const auto opened = keys::open_directory(vector_file("directory_v1.hex"), fixed_key(0x11));
  REQUIRE(opened.has_value());
  const Directory& d = *opened;
  CHECK(d.epoch == 5);
  CHECK(d.next_bucket == 4);
  CHECK(d.next_intake == 3);
  CHECK(d.review_number == 1);
  CHECK(d.last_purge == at_ms(kStartMs - 3'600'000));
  CHECK(d.journal_size == 42);
  CHECK(d.journal_root == filled<crypto::Digest>(0x4a));
  CHECK(crypto::equal(d.journal_seed->reveal(), fixed_key(0x53).reveal()));
  REQUIRE(d.buckets.size() == 1);
  const auto& bucket = d.buckets.at(3);
  CHECK(bucket.retention_class == "default");
  CHECK(bucket.day == 20780);
  CHECK(bucket.generation == 2);
  CHECK(bucket.recordings == 1);
  CHECK(bucket.node_hash == crypto::blake2b(vector_file("node_v1.hex")));
  CHECK(crypto::equal(bucket.node_key.reveal(), fixed_key(0x22).reveal()));
  CHECK(crypto::equal(bucket.index_key.reveal(), fixed_key(0x33).reveal()));
  REQUIRE(d.intake.size() == 1);
  CHECK(d.intake.at(2).created == at_ms(kStartMs - 7'200'000));
  CHECK(crypto::equal(d.intake.at(2).secret.reveal(), fixed_key(0x44).reveal()));
  CHECK(crypto::equal(d.intake.at(2).pepper.reveal(), fixed_key(0x55).reveal()));
  REQUIRE(d.staff.size() == 1);
  CHECK(d.staff[0].month == "2026-11");
  CHECK(crypto::equal(d.staff[0].key.reveal(), fixed_key(0x66).reveal()));
  REQUIRE(d.people.size() == 1);
  CHECK(d.people.at("ana").roles == 3);
  CHECK(d.people.at("ana").since == at_ms(kStartMs - 86'400'000));
  CHECK(d.people.at("ana").signing == filled<crypto::SigningPublicKey>(0x77));
  CHECK(d.people.at("ana").box == filled<crypto::PublicKey>(0x88));
  REQUIRE(d.outstanding.size() == 1);
  CHECK(d.outstanding[0].id == id_of(0x0a));
  CHECK(d.outstanding[0].reason == "erased");
  CHECK(d.outstanding[0].track == TrackName::caller);
  CHECK(d.registers.empty());
  Bytes wanted = vector_file("directory_v1_plain.hex");
  wanted.resize(wanted.size() + 4);
  CHECK(plain_of(d) == wanted);
}

TEST_CASE("frozen bytes of version 2 open, say what they said, and are spelled the same") {
  CHECK(keys_test::example("Directory") == vector_file("directory_v2.hex"));
  CHECK(keys_test::example("Directory, opened") == vector_file("directory_v2_plain.hex"));
  const auto opened = keys::open_directory(vector_file("directory_v2.hex"), fixed_key(0x11));
  REQUIRE(opened.has_value());
  CHECK(opened->outstanding.size() == 1);
  REQUIRE(opened->registers.size() == 1);
  const auto& known = opened->registers.at("opt-out");
  CHECK(known.name == "opt-out");
  CHECK(known.generation == 3);
  CHECK(known.hash == crypto::blake2b(vector_file("register_v1.hex")));
  CHECK(crypto::equal(known.key.reveal(), fixed_key(0xb1).reveal()));
  CHECK(crypto::equal(known.index_key.reveal(), fixed_key(0xb2).reveal()));
  CHECK(plain_of(*opened) == vector_file("directory_v2_plain.hex"));
  // Another version's number before the same bytes does not authenticate.
  Bytes other = vector_file("directory_v2.hex");
  other[8] = std::byte{1};
  CHECK(keys::open_directory(other, fixed_key(0x11)).error().code == Errc::corrupt);
  other[8] = std::byte{0};
  CHECK(keys::open_directory(other, fixed_key(0x11)).error().code == Errc::corrupt);
}

}  // namespace
