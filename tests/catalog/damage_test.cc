// Whatever happens to the files: an error or the right answer, and never a signal.
#include <fcntl.h>
#include <unistd.h>

#include <cstring>
#include <map>

#include "catalog/catalog_fixture.h"

using namespace callvault;
using namespace callvault::catalog;

namespace {

enum Verdict : int { right = 0, refused = 10, rebuild = 11, wrong = 12 };

struct Known {
  std::vector<BucketRows> buckets;
  std::vector<Tombstone> tombstones;
};

// Opens and asks everything. `rebuild`: a bucket or the journal position answers with an older generation.
int ask(const os::Path& folder, const Known& known, ByteView key_bytes, bool write = true) {
  const auto copy = crypto::Key::copy_of(key_bytes);  // locked pages are wiped in a child
  if (!copy) return wrong;
  const crypto::Key& key = *copy;
  auto catalog = Catalog::open(folder, OpenMode::existing, std::chrono::milliseconds(500));
  if (!catalog) return catalog.error().code == Errc::corrupt ? refused : wrong;
  bool met_error = false;
  bool stale = false;
  const auto bad = [&](const auto& result) {
    if (result) return false;
    met_error = true;
    return true;
  };
  if (const auto position = catalog->journal_position(); !bad(position)) stale = *position != 1000;
  for (const BucketRows& bucket : known.buckets) {
    const BucketKey keys[] = {{bucket.bucket, bucket.generation, &key}};
    for (int i = 0; i < 40; ++i) {
      const auto hits = catalog->lookup_all(keys, Field::caller, number(i));
      if (bad(hits)) continue;
      if (!hits->stale.empty()) {
        stale = true;
        continue;
      }
      if (hits->found.size() != 1 || hits->found[0].id != bucket.entries[static_cast<std::size_t>(i)].id) return wrong;
    }
    if (stale) continue;
    for (std::size_t i = 0; i < 20; ++i) {
      const auto row = catalog->get(bucket.entries[i].id);
      if (bad(row)) continue;
      if (!*row || (*row)->sealed_row != bucket.entries[i].sealed_row || (*row)->bucket != bucket.bucket) return wrong;
    }
  }
  if (!stale) {
    for (const Tombstone& tombstone : known.tombstones) {
      const auto found = catalog->tombstone(tombstone.id);
      if (bad(found)) continue;
      if (!*found || (*found)->journal_index != tombstone.journal_index) return wrong;
    }
  }
  if (!write) return met_error ? refused : stale ? rebuild : right;
  // Writing must not die either, nor leave a wrong catalogue.
  Blinder blinder(key);
  const Entry entry = entry_of(row_of("+40000"), blinder);
  const auto added = catalog->replace_bucket({999, 1, {entry}});
  const auto dropped = catalog->drop_bucket(known.buckets[0].bucket);
  if (added && dropped) {
    const auto row = catalog->get(Hit{999, entry.id});
    if (row && (!*row || (*row)->sealed_row != entry.sealed_row)) return wrong;
  }
  return met_error ? refused : stale ? rebuild : right;
}

struct Sample {
  Sample() {
    Catalog catalog = open_new(folder);
    for (std::uint32_t bucket = 0; bucket < 6; ++bucket) {
      if (bucket < 3) REQUIRE(catalog.replace_bucket(bucket_of(bucket, 1, key, 90)));
      known.buckets.push_back(bucket_of(bucket, 2, key, 120));
      REQUIRE(catalog.replace_bucket(known.buckets.back()));
    }
    for (std::uint64_t i = 0; i < 60; ++i)
      known.tombstones.push_back({random_id(), "2026-11-23", i, "expired", {}, 4, i});
    REQUIRE(catalog.put_tombstones(known.tombstones, 1000));
    image = read_all(folder.data());
  }
  int ask_child(const std::vector<char>& data, bool write = true) const {
    std::error_code error;
    for (const char* name : {"suspect", "dirty", "lock.mdb"}) std::filesystem::remove(folder.catalog() / name, error);
    write_all(folder.data(), data);
    return in_child([&] { return ask(folder.catalog(), known, key_bytes, write); });
  }
  // Bytes up to the last page in use: after them come zeros written in reserve.
  std::size_t used_bytes() const {
    std::uint64_t last = 0;
    for (const std::size_t meta : {std::size_t{16}, std::size_t{4096 + 16}}) {
      std::uint64_t page = 0;
      std::memcpy(&page, image.data() + meta + 120, 8);
      last = std::max(last, page);
    }
    return (last + 1) * 4096;
  }

  Folder folder;
  crypto::Key key = random_key();
  Bytes key_bytes = base::to_bytes(key.reveal());
  Known known;
  std::vector<char> image;
};

}  // namespace

TEST_CASE("an undamaged catalogue answers everything right") {
  const Sample sample;
  CHECK(sample.ask_child(sample.image) == right);
}

TEST_CASE("truncated files are refused") {
  const Sample sample;
  const std::size_t used = sample.used_bytes();
  REQUIRE(used <= sample.image.size());
  for (std::size_t size = 0; size < used; size += size < 9000 ? 500 : used / 37 + 1) {
    CAPTURE(size);
    std::vector<char> cut = sample.image;
    cut.resize(size);
    CHECK(sample.ask_child(cut) == refused);
  }
  std::vector<char> cut = sample.image;
  cut.resize(used);
  CHECK(sample.ask_child(cut) == right);
}

// Each asks a child, and a fork of a sanitized process is slow.
#ifdef __SANITIZE_ADDRESS__
constexpr int kRounds = 80;
#else
constexpr int kRounds = 400;
#endif

TEST_CASE("flipped bytes give an error or the right answer") {
  const Sample sample;
  std::mt19937_64 random(20261123);
  std::map<int, int> verdicts;
  for (int i = 0; i < kRounds; ++i) {
    std::vector<char> flipped = sample.image;
    const std::size_t flips = 1 + random() % 20;
    for (std::size_t n = 0; n < flips; ++n) {
      // A third of them in the headers of pages, where LMDB keeps its offsets.
      std::size_t at = random() % sample.used_bytes();
      if (random() % 3 == 0) at = at / 4096 * 4096 + random() % 160;
      flipped[at] = static_cast<char>(flipped[at] ^ static_cast<char>(1 + random() % 255));
    }
    const int verdict = sample.ask_child(flipped, i % 4 == 0);  // a write waits for the disk
    CAPTURE(i);
    CHECK_MESSAGE((verdict == right || verdict == refused || verdict == rebuild), "verdict ", verdict);
    ++verdicts[verdict];
  }
  MESSAGE("right ", verdicts[right], ", refused ", verdicts[refused], ", stale ", verdicts[rebuild]);
  CHECK(verdicts[refused] > kRounds / 4);
}

TEST_CASE("garbage, emptiness and absence are corrupt, not an empty catalogue") {
  const Sample sample;
  std::mt19937 random(7);
  std::vector<char> garbage(sample.image.size());
  for (char& c : garbage) c = static_cast<char>(random());
  CHECK(sample.ask_child(garbage) == refused);
  std::copy_n(sample.image.begin(), 8192, garbage.begin());  // good meta pages, nothing else
  CHECK(sample.ask_child(garbage) == refused);
  CHECK(sample.ask_child(std::vector<char>(sample.image.size())) == refused);
  CHECK(sample.ask_child({}) == refused);
  std::filesystem::remove(sample.folder.catalog() / "suspect");
  std::filesystem::remove(sample.folder.data());
  CHECK(in_child([&] { return ask(sample.folder.catalog(), sample.known, sample.key_bytes); }) == refused);
}

TEST_CASE("one process meets damage, all refuse until it is discarded") {
  const Folder folder;
  Catalog catalog = open_new(folder);
  const crypto::Key key = random_key();
  REQUIRE(catalog.replace_bucket(bucket_of(1, 1, key, 10)));
  std::ofstream(folder.catalog() / "suspect") << "a failed commit\n";
  CHECK(catalog.generations().error().code == Errc::corrupt);
  CHECK(Catalog::open(folder.catalog()).error().code == Errc::corrupt);
  REQUIRE(Catalog::discard(folder.catalog()));
  CHECK(Catalog::open(folder.catalog()));
}

TEST_CASE("a commit that failed is an I/O error for who made it, and damage for everybody later") {
  const Folder folder;
  Catalog catalog = open_new(folder);
  const crypto::Key key = random_key();
  REQUIRE(catalog.replace_bucket(bucket_of(1, 1, key, 10)));
  // What LMDB writes to cannot be written any more.
  const int unwritable = ::open(folder.data().c_str(), O_RDONLY | O_CLOEXEC);
  REQUIRE(unwritable >= 0);
  for (int fd = 3; fd < 64; ++fd) {
    std::error_code error;
    const auto target = std::filesystem::read_symlink("/proc/self/fd/" + std::to_string(fd), error);
    if (!error && fd != unwritable && target == folder.data()) REQUIRE(::dup2(unwritable, fd) == fd);
  }
  CHECK(catalog.replace_bucket(bucket_of(2, 1, key, 10)).error().code == Errc::io);
  CHECK(std::filesystem::exists(folder.catalog() / "suspect"));
  CHECK(catalog.generations().error().code == Errc::io);
  catalog.forget_failed_commit();
  CHECK(catalog.generations().error().code == Errc::corrupt);
  CHECK(Catalog::open(folder.catalog()).error().code == Errc::corrupt);
  ::close(unwritable);
}

TEST_CASE("after a writer that died everything is walked") {
  const Sample sample;
  std::ofstream(sample.folder.catalog() / "dirty") << "";
  CHECK(in_child([&] { return ask(sample.folder.catalog(), sample.known, sample.key_bytes); }) == right);
  CHECK_FALSE(std::filesystem::exists(sample.folder.catalog() / "dirty"));
  // A damage that no ordinary open would meet: one sealed row.
  std::vector<char> damaged = sample.image;
  const auto& sealed = sample.known.buckets[5].entries[100].sealed_row;
  const auto* begin = reinterpret_cast<const char*>(sealed.data());
  int copies = 0;  // a split page keeps stale ones
  for (auto at = damaged.begin(); (at = std::search(at, damaged.end(), begin, begin + sealed.size())) != damaged.end();
       ++at, ++copies)
    *at = static_cast<char>(*at ^ 1);
  REQUIRE(copies > 0);
  write_all(sample.folder.data(), damaged);
  CHECK(in_child([&] { return Catalog::open(sample.folder.catalog()) ? 0 : 1; }) == 0);
  std::ofstream(sample.folder.catalog() / "dirty") << "";
  CHECK(in_child([&] { return Catalog::open(sample.folder.catalog()) ? 0 : 1; }) == 1);
}
