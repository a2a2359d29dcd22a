// The whole catalogue, walked and held against itself.
#include <map>
#include <string>
#include <unordered_map>

#include "catalog/records.h"
#include "catalog/store.h"

namespace callvault::catalog {
namespace {

Error misplaced(const std::string& what) { return fail(Errc::corrupt, "catalogue is damaged: " + what); }
std::string in_bucket(std::uint32_t bucket) { return " in bucket " + std::to_string(bucket); }

Result<void> check_bucket(View& view, std::uint32_t bucket, const BucketMeta& meta, std::uint64_t& records) {
  std::map<RecordingId, std::pair<std::uint8_t, bool>> tokens_left;  // and whether its sealed row was met
  BucketMeta found;
  for (std::uint32_t block = 0; block < std::uint32_t{1} << meta.id_bits; ++block) {
    CALLVAULT_TRY_ASSIGN(const Bytes value, view.need(block_key(Table::ids, bucket, block)));
    CALLVAULT_TRY_ASSIGN(const IdBlock ids, decode_ids(value));
    ++records;
    for (const IdEntry& entry : ids) {
      if (block_of(entry.id.bytes(), meta.id_bits) != block || entry.day < meta.min_day || entry.day > meta.max_day)
        return misplaced("an id out of place" + in_bucket(bucket));
      tokens_left[entry.id] = {entry.tokens, false};
      ++found.rows;
      ++found.consents[entry.consent];
    }
  }
  for (std::uint32_t block = 0; block < std::uint32_t{1} << meta.token_bits; ++block) {
    CALLVAULT_TRY_ASSIGN(const Bytes value, view.need(block_key(Table::tokens, bucket, block)));
    CALLVAULT_TRY_ASSIGN(const TokenBlock tokens, decode_tokens(value));
    ++records;
    for (const TokenEntry& entry : tokens) {
      const auto row = tokens_left.find(entry.id);
      if (row == tokens_left.end() || row->second.first == 0 || block_of(entry.token, meta.token_bits) != block)
        return misplaced("a token out of place" + in_bucket(bucket));
      --row->second.first;
      ++found.tokens;
    }
  }
  CALLVAULT_TRY(view.walk(number_key(Table::rows, bucket), [&](ByteView key, ByteView) -> Result<bool> {
    if (key.size() != 21) return misplaced("a row's key" + in_bucket(bucket));
    std::array<std::byte, 16> id{};
    std::copy_n(key.begin() + 5, id.size(), id.begin());
    const auto row = tokens_left.find(RecordingId(id));
    if (row == tokens_left.end()) return misplaced("a row without its id" + in_bucket(bucket));
    row->second.second = true;
    ++records;
    return true;
  }));
  CALLVAULT_TRY_ASSIGN(const auto span, view.look(number_key(Table::span, bucket)));
  if (span) ++records;
  for (const auto& [id, left] : tokens_left)
    if (left.first != 0 || !left.second) return misplaced("a row or its tokens are missing" + in_bucket(bucket));
  if (found.rows != meta.rows || found.tokens != meta.tokens || found.consents != meta.consents)
    return misplaced("wrong counts" + in_bucket(bucket));
  return {};
}

Result<void> check_segment(View& view, std::uint32_t number, CatalogCounts& counts) {
  CALLVAULT_TRY_ASSIGN(const Bytes value, view.need(number_key(Table::segment, number)));
  CALLVAULT_TRY_ASSIGN(const Segment segment, decode_segment(value));
  std::uint32_t count = 0;
  for (std::uint32_t block = 0; block < std::uint32_t{1} << kSegmentBits; ++block) {
    CALLVAULT_TRY_ASSIGN(const Bytes raw, view.need(block_key(Table::tombstones, number, block)));
    CALLVAULT_TRY_ASSIGN(const TombstoneBlock tombstones, decode_tombstones(raw));
    for (const Tombstone& tombstone : tombstones) {
      if (block_of(tombstone.id.bytes(), kSegmentBits) != block || tombstone.journal_index < segment.first_index ||
          tombstone.journal_index > segment.last_index)
        return misplaced("a tombstone out of place");
      ++count;
    }
  }
  if (count != segment.count) return misplaced("wrong count of tombstones");
  counts.tombstones += count;
  return {};
}

}  // namespace

Result<CatalogCounts> check_view(View& view) {
  view.forget();
  std::uint64_t stored = 0;
  CALLVAULT_TRY(view.tree().walk_all([&](ByteView key, ByteView) -> Result<void> {
    ++stored;
    return key.size() > 21 ? Result<void>(misplaced("an unknown key")) : Result<void>();
  }));
  CALLVAULT_TRY_ASSIGN(const Root root, read_root(view));
  CALLVAULT_TRY_ASSIGN(const auto buckets, read_buckets(view));
  CatalogCounts counts;
  std::uint64_t records = 1;
  for (const auto& [bucket, meta] : *buckets) {
    CALLVAULT_TRY(check_bucket(view, bucket, meta, records));
    ++records;
    ++counts.buckets;
    counts.rows += meta.rows;
    counts.tokens += meta.tokens;
  }
  for (std::uint32_t segment = 0; segment < root.segments; ++segment)
    CALLVAULT_TRY(check_segment(view, segment, counts));
  records += std::uint64_t{root.segments} * (1 + (std::uint64_t{1} << kSegmentBits));
  if (counts.tombstones != root.tombstones) return misplaced("wrong count of tombstones");
  if (records != stored) return misplaced("records that belong to nothing");
  return counts;
}

}  // namespace callvault::catalog
