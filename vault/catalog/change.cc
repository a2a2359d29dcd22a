// What changes the catalogue's buckets.
#include <algorithm>
#include <set>
#include <string>

#include "catalog/records.h"
#include "catalog/store.h"

namespace callvault::catalog {
namespace {

// Everything of one bucket but its sealed rows, sorted.
struct Index {
  IdBlock ids;
  TokenBlock tokens;
};

Result<void> check_entries(std::span<const Entry> entries) {
  if (entries.size() > kMaxBucketRows) return fail(Errc::usage, "too many rows for one bucket of the catalogue");
  for (const Entry& entry : entries) {
    if (entry.sealed_row.size() > kMaxSealedRow || entry.tokens.size() > kMaxTokens ||
        static_cast<std::size_t>(entry.consent) >= kConsents)
      return fail(Errc::usage, "a row is beyond the catalogue's bounds: " + entry.id.text());
  }
  return {};
}

void add(Index& index, std::span<const Entry> entries) {
  for (const Entry& entry : entries) {
    index.ids.push_back({entry.id, entry.day, static_cast<std::uint8_t>(entry.consent),
                         static_cast<std::uint8_t>(entry.tokens.size())});
    for (const Token& token : entry.tokens) index.tokens.push_back({token, entry.id});
  }
  std::sort(index.ids.begin(), index.ids.end(), [](const auto& a, const auto& b) { return a.id < b.id; });
  std::sort(index.tokens.begin(), index.tokens.end(), [](const auto& a, const auto& b) { return a.token < b.token; });
}

// True when an id or a token stands twice.
bool repeats(const Index& index) {
  const auto same_id = [](const IdEntry& a, const IdEntry& b) { return a.id == b.id; };
  const auto same_token = [](const TokenEntry& a, const TokenEntry& b) { return a.token == b.token; };
  return std::adjacent_find(index.ids.begin(), index.ids.end(), same_id) != index.ids.end() ||
         std::adjacent_find(index.tokens.begin(), index.tokens.end(), same_token) != index.tokens.end();
}

void count_in(BucketMeta& meta, std::span<const Entry> entries) {
  for (const Entry& entry : entries) {
    meta.min_day = meta.rows == 0 ? entry.day : std::min(meta.min_day, entry.day);
    meta.max_day = meta.rows == 0 ? entry.day : std::max(meta.max_day, entry.day);
    ++meta.rows;
    meta.tokens += static_cast<std::uint32_t>(entry.tokens.size());
    ++meta.consents[static_cast<std::size_t>(entry.consent)];
  }
}

ByteView lead_of(const IdEntry& entry) { return entry.id.bytes(); }
ByteView lead_of(const TokenEntry& entry) { return entry.token; }

// Writes `sorted` as its 2^bits blocks; `touched`, when given, names the only ones that changed.
template <typename Entries>
void put_blocks(Batch& batch, Table table, std::uint32_t bucket, const Entries& sorted, std::uint8_t bits) {
  auto at = sorted.begin();
  for (std::uint32_t block = 0; block < std::uint32_t{1} << bits; ++block) {
    Entries content;
    for (; at != sorted.end() && block_of(lead_of(*at), bits) == block; ++at) content.push_back(*at);
    batch.put(block_key(table, bucket, block), encode(content));
  }
}

Result<Bytes> load(View& view, Table table, std::uint32_t bucket, std::uint32_t block) {
  return view.need(block_key(table, bucket, block));
}
Result<void> decode_into(IdBlock& out, ByteView value) {
  CALLVAULT_TRY_ASSIGN(const IdBlock block, decode_ids(value));
  out.insert(out.end(), block.begin(), block.end());
  return {};
}
Result<void> decode_into(TokenBlock& out, ByteView value) {
  CALLVAULT_TRY_ASSIGN(const TokenBlock block, decode_tokens(value));
  out.insert(out.end(), block.begin(), block.end());
  return {};
}

// Adds sorted entries to the bucket's blocks: only the blocks they fall into, unless the blocks must be doubled.
// False when one is there already.
template <typename Entries>
Result<bool> add_to_blocks(View& view, Batch& batch, Table table, std::uint32_t bucket, const Entries& fresh,
                           std::uint8_t old_bits, std::uint8_t bits) {
  std::set<std::uint32_t> touched;
  for (const auto& entry : fresh) touched.insert(block_of(lead_of(entry), old_bits));
  if (bits != old_bits)
    for (std::uint32_t block = 0; block < std::uint32_t{1} << old_bits; ++block) touched.insert(block);
  Entries all = fresh;
  for (const std::uint32_t block : touched) {
    CALLVAULT_TRY_ASSIGN(const Bytes value, load(view, table, bucket, block));
    CALLVAULT_TRY(decode_into(all, value));
  }
  const auto less = [](const auto& a, const auto& b) { return compare(lead_of(a), lead_of(b)) < 0; };
  const auto same = [](const auto& a, const auto& b) { return compare(lead_of(a), lead_of(b)) == 0; };
  std::sort(all.begin(), all.end(), less);
  if (std::adjacent_find(all.begin(), all.end(), same) != all.end()) return false;
  if (bits != old_bits) {
    put_blocks(batch, table, bucket, all, bits);
    return true;
  }
  auto at = all.begin();
  for (const std::uint32_t block : touched) {
    Entries content;
    for (; at != all.end() && block_of(lead_of(*at), bits) == block; ++at) content.push_back(*at);
    batch.put(block_key(table, bucket, block), encode(content));
  }
  return true;
}

void put_bucket(Batch& batch, Root& root, std::uint32_t bucket, const BucketMeta& meta) {
  const Bytes key = number_key(Table::bucket, bucket);
  Bytes value = encode(meta);
  root.bucket_checks ^= check_of(key, value);
  ++root.buckets;
  batch.put(key, std::move(value));
}

void take_out(Root& root, std::uint32_t bucket, const BucketMeta& meta) {
  root.bucket_checks ^= check_of(number_key(Table::bucket, bucket), encode(meta));
  --root.buckets;
}

// Keys that one transaction removes stay in memory until it ends.
constexpr std::size_t kRowsDroppedAtOnce = 32'768;

// Every key of the bucket, and its part in the root record. Tells how many rows it had.
Result<std::size_t> remove_bucket(View& view, Batch& batch, Root& root, std::uint32_t bucket) {
  CALLVAULT_TRY_ASSIGN(const auto meta, read_bucket(view, bucket));
  if (!meta) return std::size_t{0};
  take_out(root, bucket, *meta);
  for (const Table table : {Table::bucket, Table::ids, Table::tokens, Table::rows, Table::span}) {
    CALLVAULT_TRY(view.walk(number_key(table, bucket), [&](ByteView key, ByteView) -> Result<bool> {
      batch.remove(base::to_bytes(key));
      return true;
    }));
  }
  return std::size_t{meta->rows};
}

}  // namespace

Result<void> Catalog::replace_bucket(const BucketRows& rows) { return replace_buckets({&rows, 1}); }

Result<void> Catalog::replace_buckets(std::span<const BucketRows> buckets) {
  if (buckets.empty()) return {};
  std::vector<Index> indexes(buckets.size());
  for (std::size_t i = 0; i < buckets.size(); ++i) {
    CALLVAULT_TRY(check_entries(buckets[i].entries));
    if (buckets[i].sealed_span.size() > kMaxSealedSpan) return fail(Errc::usage, "a bucket's span is too long");
    add(indexes[i], buckets[i].entries);
    if (repeats(indexes[i])) return fail(Errc::usage, "an id or a token stands twice in one bucket of the catalogue");
  }
  return store_->update([&](View& view, Batch& batch) -> Result<void> {
    CALLVAULT_TRY_ASSIGN(Root root, read_root(view));
    for (std::size_t i = 0; i < buckets.size(); ++i) {
      const BucketRows& rows = buckets[i];
      CALLVAULT_TRY(remove_bucket(view, batch, root, rows.bucket));
      BucketMeta meta;
      meta.generation = rows.generation;
      count_in(meta, rows.entries);
      meta.id_bits = bits_for(meta.rows, kIdsPerBlock);
      meta.token_bits = bits_for(meta.tokens, kTokensPerBlock);
      put_blocks(batch, Table::ids, rows.bucket, indexes[i].ids, meta.id_bits);
      put_blocks(batch, Table::tokens, rows.bucket, indexes[i].tokens, meta.token_bits);
      for (const Entry& entry : rows.entries) batch.put(row_key(rows.bucket, entry.id), entry.sealed_row);
      if (!rows.sealed_span.empty()) batch.put(number_key(Table::span, rows.bucket), rows.sealed_span);
      put_bucket(batch, root, rows.bucket, meta);
    }
    batch.put(root_key(), encode(root));
    return {};
  });
}

Result<bool> Catalog::add_rows(std::uint32_t bucket, std::uint64_t from_generation, std::uint64_t to_generation,
                               std::span<const Entry> entries, ByteView sealed_span) {
  CALLVAULT_TRY(check_entries(entries));
  if (sealed_span.size() > kMaxSealedSpan) return fail(Errc::usage, "a bucket's span is too long");
  Index index;
  add(index, entries);
  if (repeats(index)) return fail(Errc::usage, "an id or a token stands twice in one bucket of the catalogue");
  bool added = false;
  CALLVAULT_TRY(store_->update([&](View& view, Batch& batch) -> Result<void> {
    CALLVAULT_TRY_ASSIGN(const auto before, read_bucket(view, bucket));
    if (!before || before->generation != from_generation) return {};
    if (before->rows + entries.size() > kMaxBucketRows)
      return fail(Errc::usage, "too many rows for one bucket of the catalogue");
    BucketMeta meta = *before;
    meta.generation = to_generation;
    count_in(meta, entries);
    meta.id_bits = std::max(before->id_bits, bits_for(meta.rows, kIdsPerBlock));
    meta.token_bits = std::max(before->token_bits, bits_for(meta.tokens, kTokensPerBlock));
    Batch changes;
    CALLVAULT_TRY_ASSIGN(const bool ids,
                         add_to_blocks(view, changes, Table::ids, bucket, index.ids, before->id_bits, meta.id_bits));
    CALLVAULT_TRY_ASSIGN(const bool tokens, add_to_blocks(view, changes, Table::tokens, bucket, index.tokens,
                                                          before->token_bits, meta.token_bits));
    if (!ids || !tokens) return {};
    for (const Entry& entry : entries) changes.put(row_key(bucket, entry.id), entry.sealed_row);
    CALLVAULT_TRY_ASSIGN(Root root, read_root(view));
    take_out(root, bucket, *before);
    put_bucket(changes, root, bucket, meta);
    if (!sealed_span.empty())
      changes.put(number_key(Table::span, bucket), base::to_bytes(sealed_span));
    else
      changes.remove(number_key(Table::span, bucket));
    changes.put(root_key(), encode(root));
    batch = std::move(changes);
    added = true;
    return {};
  }));
  return added;
}

Result<void> Catalog::drop_bucket(std::uint32_t bucket) { return drop_buckets({&bucket, 1}); }

Result<void> Catalog::drop_buckets(std::span<const std::uint32_t> buckets) {
  std::size_t at = 0;
  while (at < buckets.size()) {
    CALLVAULT_TRY(store_->update([&](View& view, Batch& batch) -> Result<void> {
      CALLVAULT_TRY_ASSIGN(Root root, read_root(view));
      for (std::size_t rows = 0; at < buckets.size() && rows < kRowsDroppedAtOnce; ++at) {
        CALLVAULT_TRY_ASSIGN(const std::size_t removed, remove_bucket(view, batch, root, buckets[at]));
        rows += removed;
      }
      if (!batch.empty()) batch.put(root_key(), encode(root));
      return {};
    }));
  }
  return {};
}

Result<std::uint64_t> Catalog::drop_buckets_except(std::span<const std::uint32_t> keep) {
  const std::set<std::uint32_t> kept(keep.begin(), keep.end());
  CALLVAULT_TRY_ASSIGN(const auto held, generations());
  std::vector<std::uint32_t> dropped;
  for (const auto& [bucket, generation] : held)
    if (!kept.contains(bucket)) dropped.push_back(bucket);
  CALLVAULT_TRY(drop_buckets(dropped));
  return std::uint64_t{dropped.size()};
}

}  // namespace callvault::catalog
