#include "catalog/catalog.h"

#include <algorithm>
#include <cstring>
#include <set>

#include "catalog/catalog_fixture.h"

using namespace callvault;
using namespace callvault::catalog;

namespace {

std::set<RecordingId> ids_of(const Hits& hits) {
  std::set<RecordingId> ids;
  for (const Hit& hit : hits.found) ids.insert(hit.id);
  return ids;
}

bool contains(const std::vector<char>& data, ByteView what) {
  const auto* text = reinterpret_cast<const char*>(what.data());
  return std::search(data.begin(), data.end(), text, text + what.size()) != data.end();
}

}  // namespace

TEST_CASE("rows are found by value, counting k, and read back") {
  const Folder folder;
  Catalog catalog = open_new(folder);
  const crypto::Key key = random_key();
  const BucketRows rows = bucket_of(7, 3, key, 300, 3);
  REQUIRE(catalog.replace_bucket(rows));
  CHECK(*catalog.generation(7) == 3);
  CHECK_FALSE(*catalog.generation(8));

  const BucketKey keys[] = {{7, 3, &key}};
  for (const int caller : {0, 50, 99}) {
    auto hits = catalog.lookup_all(keys, Field::caller, number(caller));
    REQUIRE(hits);
    CHECK(hits->stale.empty());
    std::set<RecordingId> expected;
    for (int i = 0; i < 3; ++i) expected.insert(rows.entries[static_cast<std::size_t>(caller * 3 + i)].id);
    CHECK(ids_of(*hits) == expected);
  }
  CHECK(catalog.lookup_all(keys, Field::caller, number(100))->found.empty());
  CHECK(catalog.lookup_all(keys, Field::called, number(0))->found.empty());
  CHECK(catalog.lookup_all(keys, Field::called, "+40215550100")->found.size() == 300);
  for (const Entry& entry : rows.entries) {
    auto row = catalog.get(entry.id);
    REQUIRE(row);
    REQUIRE(*row);
    CHECK((*row)->sealed_row == entry.sealed_row);
    CHECK((*row)->bucket == 7);
    CHECK((*row)->day == entry.day);
  }
  CHECK_FALSE(*catalog.get(random_id()));
  CHECK_FALSE(*catalog.get(Hit{8, rows.entries[0].id}));
  const std::string text = rows.entries[0].id.text();
  for (const std::size_t length : {6U, 13U, 26U}) {
    auto found = catalog.with_prefix(text.substr(0, length), 10);
    REQUIRE(found);
    CHECK(*found == std::vector<Hit>{{7, rows.entries[0].id}});
  }
  CHECK(catalog.with_prefix("", 10)->size() == 10);
  CHECK(catalog.with_prefix("A", 10).error().code == Errc::usage);
  CHECK(catalog.check()->rows == 300);
}

TEST_CASE("rows are added to one generation only, and only once") {
  const Folder folder;
  Catalog catalog = open_new(folder);
  const crypto::Key key = random_key();
  REQUIRE(catalog.replace_bucket({1, 1, {}}));
  std::uint64_t generation = 1;
  std::vector<Entry> last;
  for (int batch = 0; batch < 20; ++batch) {
    Blinder blinder(key);
    last.clear();
    for (int i = 0; i < 64; ++i) {
      const Row row = row_of(number(i % 5), "agent" + std::to_string(batch));
      REQUIRE(catalog.seed(blinder, 1, row));
      last.push_back(entry_of(row, blinder));
    }
    auto added = catalog.add_rows(1, generation, generation + 1, last);
    REQUIRE(added);
    CHECK(*added);
    ++generation;
  }
  const BucketKey keys[] = {{1, generation, &key}};
  CHECK(catalog.lookup_all(keys, Field::caller, number(0))->found.size() == 20 * 13);
  CHECK(catalog.lookup_all(keys, Field::agent, "agent19")->found.size() == 64);
  CHECK(catalog.check()->rows == 20 * 64);
  CHECK(catalog.check()->tokens == 20 * 64 * 3);

  Blinder blinder(key);
  blinder.seed(Field::called, "+40215550100", 5000);
  blinder.seed(Field::agent, "ana", 5000);
  const std::vector<Entry> more{entry_of(row_of(number(77)), blinder)};
  CHECK_FALSE(*catalog.add_rows(1, generation - 1, generation + 1, more));  // stale
  CHECK_FALSE(*catalog.add_rows(2, 0, 1, more));                            // no such bucket
  CHECK_FALSE(*catalog.add_rows(1, generation, generation + 1, last));      // ids are there
  CHECK(*catalog.generation(1) == generation);
  const BucketKey old_keys[] = {{1, generation - 1, &key}, {9, 1, &key}};
  CHECK(catalog.lookup_all(old_keys, Field::caller, number(0))->stale == std::vector<std::uint32_t>{1, 9});
  CHECK(catalog.add_rows(1, generation, generation + 1, std::vector<Entry>{more[0], more[0]}).error().code ==
        Errc::usage);
}

TEST_CASE("buckets are replaced and dropped whole") {
  const Folder folder;
  Catalog catalog = open_new(folder);
  const crypto::Key key = random_key();
  std::vector<BucketRows> all;
  for (std::uint32_t bucket = 0; bucket < 5; ++bucket) {
    all.push_back(bucket_of(bucket, 1, key, 200));
    REQUIRE(catalog.replace_bucket(all.back()));
  }
  REQUIRE(catalog.replace_bucket(bucket_of(2, 2, key, 20)));
  CHECK_FALSE(*catalog.get(all[2].entries[5].id));
  CHECK(*catalog.get(all[3].entries[5].id));
  CHECK(catalog.check()->rows == 820);
  REQUIRE(catalog.drop_bucket(3));
  REQUIRE(catalog.drop_bucket(3));
  CHECK_FALSE(*catalog.get(all[3].entries[5].id));
  const std::uint32_t keep[] = {0, 2, 17};
  CHECK(*catalog.drop_buckets_except(keep) == 2);
  CHECK(*catalog.generations() == std::map<std::uint32_t, std::uint64_t>{{0, 1}, {2, 2}});
  CHECK(catalog.check()->rows == 220);
}

TEST_CASE("rows by day and consent") {
  const Folder folder;
  Catalog catalog = open_new(folder);
  const crypto::Key key = random_key();
  for (std::uint32_t bucket = 0; bucket < 4; ++bucket) {
    Blinder blinder(key);
    BucketRows rows{bucket, 1, {}};
    for (int i = 0; i < 60; ++i)
      rows.entries.push_back(entry_of(row_of(number(i)), blinder, 100 + bucket,
                                      i < static_cast<int>(bucket) ? Consent::pending : Consent::granted));
    REQUIRE(catalog.replace_bucket(rows));
  }
  CHECK_FALSE(*catalog.any_consent(Consent::pending, 100));
  CHECK(*catalog.any_consent(Consent::pending, 101));
  CHECK_FALSE(*catalog.any_consent(Consent::pending, 104));
  CHECK(catalog.rows_between(101, 103, Consent::pending)->size() == 3);
  CHECK(catalog.rows_between(101, 103)->size() == 120);
  std::vector<std::uint32_t> buckets;
  REQUIRE(catalog.for_each_consent(Consent::pending, 0, 1000, [&](const RecordingId&, std::uint32_t bucket) {
    buckets.push_back(bucket);
    return buckets.size() < 4;
  }));
  CHECK(buckets == std::vector<std::uint32_t>{3, 3, 3, 2});
}

TEST_CASE("tombstones: newest first, by id, by prefix, taken once") {
  const Folder folder;
  Catalog catalog = open_new(folder);
  std::vector<Tombstone> all;
  for (std::uint64_t i = 0; i < 5000; ++i)
    all.push_back({random_id(), "2026-11-23", i, "expired", Time(std::chrono::milliseconds(i)), 4, 10 + 2 * i});
  const std::span<const Tombstone> span(all);
  REQUIRE(catalog.put_tombstones(span.first(10), 30));
  CHECK(*catalog.journal_position() == 30);
  REQUIRE(catalog.put_tombstones(span, 20'000));  // the first ten again
  REQUIRE(catalog.put_tombstones(span, 20'000));
  CHECK(*catalog.journal_position() == 20'000);
  CHECK(catalog.check()->tombstones == 5000);
  for (const std::size_t i : {0U, 9U, 10U, 4095U, 4096U, 4999U}) {
    auto found = catalog.tombstone(all[i].id);
    REQUIRE(found);
    REQUIRE(*found);
    CHECK((*found)->journal_index == all[i].journal_index);
    CHECK((*found)->start_day == "2026-11-23");
    CHECK((*found)->reason == "expired");
    CHECK((*found)->duration_s == i);
    CHECK(*catalog.tombstones_with_prefix(all[i].id.text().substr(0, 10), 5) == std::vector<RecordingId>{all[i].id});
  }
  CHECK_FALSE(*catalog.tombstone(random_id()));
  std::size_t seen = 0;
  REQUIRE(catalog.for_each_tombstone([&](const Tombstone& tombstone) {
    CHECK(tombstone.id == all[all.size() - 1 - seen].id);
    return ++seen < 4500;
  }));
  CHECK(seen == 4500);
  REQUIRE(catalog.set_journal_position(20'001));
  CHECK(*catalog.journal_position() == 20'001);
  const Tombstone ahead[] = {{random_id(), "", 0, "erased", {}, 1, 30'000}};
  CHECK(catalog.put_tombstones(ahead, 30'000).error().code == Errc::usage);
}

TEST_CASE("an erased bucket's rows cannot be tied to what follows, and nothing stands in the clear") {
  const Folder folder;
  const std::string caller = "+40799123456", agent = "ionescu-marinela";
  const crypto::Key first_key = random_key(), second_key = random_key();
  Catalog catalog = open_new(folder);
  BucketRows rows = bucket_of(1, 1, first_key, 50);
  Blinder blinder(first_key);
  for (int i = 0; i < 3; ++i) {
    Row row = row_of(caller, agent);
    row.called.clear();
    rows.entries.push_back(entry_of(row, blinder));
  }
  REQUIRE(catalog.replace_bucket(rows));
  const auto before = read_all(folder.data());
  BucketRows after_rows{1, 2, {}};
  Blinder fresh(second_key);
  for (std::size_t i = 0; i + 1 < rows.entries.size(); ++i) {
    Entry entry = rows.entries[i];
    entry.tokens = fresh.tokens_of(i < 50 ? row_of(number(static_cast<int>(i))) : row_of(caller, agent));
    after_rows.entries.push_back(entry);
  }
  REQUIRE(catalog.replace_bucket(after_rows));
  // Every byte ever on disk: the file before and after.
  const auto after = read_all(folder.data());
  for (const auto* image : {&before, &after})
    for (const std::string& text : {caller, agent, caller.substr(3), std::string("+40215550100")})
      CHECK_FALSE(contains(*image, base::as_bytes(text)));
  std::set<Token> tokens;
  std::size_t count = 0;
  for (const BucketRows* each : {&rows, &after_rows})
    for (const Entry& entry : each->entries) {
      tokens.insert(entry.tokens.begin(), entry.tokens.end());
      count += entry.tokens.size();
    }
  CHECK(tokens.size() == count);
  CHECK(contains(before, rows.entries.back().tokens[0]));  // the search itself finds what is there
  const BucketKey keys[] = {{1, 2, &second_key}}, old_keys[] = {{1, 2, &first_key}};
  CHECK(catalog.lookup_all(keys, Field::caller, caller)->found.size() == 2);
  CHECK(catalog.lookup_all(old_keys, Field::caller, caller)->found.empty());
}

TEST_CASE("discard forgets; one that is open follows") {
  const Folder folder;
  Catalog catalog = open_new(folder);
  const crypto::Key key = random_key();
  REQUIRE(catalog.replace_bucket(bucket_of(1, 1, key, 10)));
  CHECK(Catalog::open(folder.path() / "other", OpenMode::existing).error().code == Errc::not_found);
  REQUIRE(Catalog::discard(folder.catalog()));
  REQUIRE(Catalog::discard(folder.catalog()));
  CHECK_FALSE(std::filesystem::exists(folder.catalog()));
  Catalog second = open_new(folder);
  CHECK(second.generations()->empty());
  CHECK(catalog.generations()->empty());
  REQUIRE(catalog.replace_bucket(bucket_of(2, 1, key, 10)));
  CHECK(second.generations()->size() == 1);
  CHECK(std::distance(std::filesystem::directory_iterator(folder.path()), {}) == 1);
  CHECK((std::filesystem::status(folder.data()).permissions() & std::filesystem::perms::all) ==
        (std::filesystem::perms::owner_read | std::filesystem::perms::owner_write));
}
