// What a search costs, and spans.
#include "catalog/lookup.h"

#include "catalog/catalog_fixture.h"
#include "catalog/records.h"
#include "catalog/store.h"

using namespace callvault;
using namespace callvault::catalog;

namespace {

constexpr std::uint32_t kBuckets = 60;

struct Filled {
  Folder folder;
  crypto::Key key = random_key();
  std::vector<BucketKey> keys;

  explicit Filled(int rows) {
    Catalog catalog = open_new(folder);
    std::vector<BucketRows> buckets;
    for (std::uint32_t bucket = 1; bucket <= kBuckets; ++bucket) {
      buckets.push_back(bucket_of(bucket, 1, key, rows));
      keys.push_back({bucket, 1, &key});
    }
    REQUIRE(catalog.replace_buckets(buckets));
  }
};

void set_format(const Folder& folder, const std::string& text) {
  write_all(folder.catalog() / "format", {text.begin(), text.end()});
}
std::string format_of(const Folder& folder) {
  const auto text = read_all(folder.catalog() / "format");
  return {text.begin(), text.end()};
}

}  // namespace

TEST_CASE("a search reads one page of each bucket once the way there is known") {
  const Filled it(300);
  auto store = Store::open(it.folder.catalog(), false, std::chrono::seconds(1));
  REQUIRE(store);
  const auto pages_of = [&](const std::string& caller) {
    const auto pages = (*store)->read([&](View& view) -> Result<std::uint64_t> {
      CALLVAULT_TRY_ASSIGN(const auto buckets, read_buckets(view));
      for (const auto& [number, meta] : *buckets) {
        const Token token = blind(it.key, Field::caller, caller, 0);
        CALLVAULT_TRY_ASSIGN(const auto block,
                             view.look_at(block_key(Table::tokens, number, block_of(token, meta.token_bits))));
        CALLVAULT_TRY(find_in_tokens(block, token));
      }
      return view.pages_read();
    });
    REQUIRE(pages);
    return *pages;
  };
  CHECK(pages_of(number(1)) <= 2 * kBuckets + 8);  // and those above them
  CHECK(pages_of(number(2)) <= kBuckets + 4);      // one more of those above may lie on the way
  // Another transaction has other pages.
  auto catalog = Catalog::open(it.folder.catalog());
  REQUIRE(catalog);
  REQUIRE(catalog->drop_bucket(kBuckets));
  CHECK(pages_of(number(3)) > kBuckets);
}

TEST_CASE("what is kept of one transaction is not taken for another's") {
  Filled it(50);
  Catalog reader = open_new(it.folder), writer = open_new(it.folder);
  for (std::uint64_t round = 1; round < 6; ++round) {
    CHECK(reader.lookup_all(it.keys, Field::caller, number(3))->found.size() == kBuckets);
    REQUIRE(writer.replace_bucket(bucket_of(7, round + 1, it.key, 50 + static_cast<int>(round) * 40)));
    CHECK(reader.lookup_all(it.keys, Field::caller, number(3))->stale == std::vector<std::uint32_t>{7});
    it.keys[6].generation = round + 1;
    CHECK(reader.lookup_all(it.keys, Field::caller, number(49 + static_cast<int>(round) * 40))->found.size() == 1);
    CHECK(reader.generations()->at(7) == round + 1);
  }
  // A catalogue that came into its place counts its transactions from the beginning.
  REQUIRE(Catalog::discard(it.folder.catalog()));
  CHECK(open_new(it.folder).generations()->empty());
  CHECK(reader.generations()->empty());
}

// Each reader asks once, after one transaction more: one of them when the new file has as many as the old one had.
TEST_CASE("what is kept of one catalogue is not taken for the one that came into its place") {
  const Filled it(10);
  std::vector<Catalog> readers;
  for (int i = 0; i < 12; ++i) {
    readers.push_back(open_new(it.folder));
    REQUIRE(readers.back().generations()->size() == kBuckets);
  }
  REQUIRE(Catalog::discard(it.folder.catalog()));
  Catalog writer = open_new(it.folder);
  for (std::uint32_t round = 0; round < readers.size(); ++round) {
    CAPTURE(round);
    CHECK(readers[round].generations()->size() == round);
    REQUIRE(writer.replace_bucket(bucket_of(100 + round, 1, it.key, 1)));
  }
}

TEST_CASE("a bucket's span comes and goes with its rows") {
  const Folder folder;
  Catalog catalog = open_new(folder);
  const crypto::Key key = random_key();
  const std::vector<std::uint32_t> asked{2, 1, 9};
  const auto spans = [&] {
    auto out = catalog.sealed_spans(asked);
    REQUIRE(out);
    return *out;
  };
  BucketRows rows = bucket_of(1, 1, key, 10);
  rows.sealed_span = Bytes(56, std::byte{1});
  REQUIRE(catalog.replace_bucket(rows));
  REQUIRE(catalog.replace_bucket(bucket_of(2, 1, key, 10)));
  CHECK(spans() == std::vector<Bytes>{{}, Bytes(56, std::byte{1}), {}});
  CHECK(catalog.check());
  CHECK(*catalog.add_rows(1, 1, 2, {}, Bytes(56, std::byte{2})));
  CHECK(spans()[1] == Bytes(56, std::byte{2}));
  CHECK_FALSE(*catalog.add_rows(1, 1, 2, {}, Bytes(56, std::byte{3})));  // stale: nothing has changed
  CHECK(spans()[1] == Bytes(56, std::byte{2}));
  CHECK(*catalog.add_rows(1, 2, 3, {}));
  CHECK(spans()[1].empty());
  CHECK(catalog.check());
  rows.generation = 4;
  REQUIRE(catalog.replace_bucket(rows));
  REQUIRE(catalog.drop_bucket(1));
  CHECK(spans()[1].empty());
  CHECK(catalog.check()->buckets == 1);
  rows.sealed_span.resize(kMaxSealedSpan + 1);
  CHECK(catalog.replace_bucket(rows).error().code == Errc::usage);
  CHECK(catalog.add_rows(2, 1, 2, {}, rows.sealed_span).error().code == Errc::usage);
}

TEST_CASE("a catalogue of format 1 is read, and becomes one of format 2 when it is written to") {
  const Folder folder;
  const crypto::Key key = random_key();
  REQUIRE(open_new(folder).replace_bucket(bucket_of(1, 1, key, 10)));
  CHECK(format_of(folder) == "callvault catalogue 2\n");
  set_format(folder, "callvault catalogue 1\n");
  {
    Catalog catalog = open_new(folder);
    CHECK(catalog.check()->rows == 10);
    CHECK(catalog.sealed_spans(std::vector<std::uint32_t>{1})->front().empty());
    CHECK(format_of(folder) == "callvault catalogue 1\n");
    REQUIRE(catalog.drop_bucket(1));
    CHECK(format_of(folder) == "callvault catalogue 2\n");
  }
  set_format(folder, "callvault catalogue 3\n");
  CHECK(Catalog::open(folder.catalog()).error().code == Errc::corrupt);
}
