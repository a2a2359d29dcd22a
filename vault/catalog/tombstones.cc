// Tombstones: in segments by age, each with 256 blocks by id.
#include <algorithm>
#include <map>
#include <set>
#include <string>

#include "catalog/records.h"
#include "catalog/store.h"

namespace callvault::catalog {
namespace {

Result<TombstoneBlock> read_block(View& view, std::uint32_t segment, std::uint32_t block) {
  CALLVAULT_TRY_ASSIGN(const Bytes value, view.need(block_key(Table::tombstones, segment, block)));
  return decode_tombstones(value);
}

// Fills the newest segment, then opens others. Blocks stay decoded until everything is in.
class SegmentWriter {
 public:
  SegmentWriter(View& view, Root& root) : view_(view), root_(root) {}

  Result<void> add(const Tombstone& tombstone) {
    if (!loaded_ && root_.segments > 0) {
      CALLVAULT_TRY_ASSIGN(const Bytes value, view_.need(number_key(Table::segment, root_.segments - 1)));
      CALLVAULT_TRY_ASSIGN(segments_[root_.segments - 1], decode_segment(value));
    }
    loaded_ = true;
    if (root_.segments == 0 || segments_[root_.segments - 1].count >= kSegmentTombstones) open_segment();
    const std::uint32_t number = root_.segments - 1;
    const std::uint32_t block = block_of(tombstone.id.bytes(), kSegmentBits);
    const auto place = std::pair(number, block);
    if (!blocks_.contains(place)) {
      CALLVAULT_TRY_ASSIGN(blocks_[place], read_block(view_, number, block));
    }
    TombstoneBlock& content = blocks_[place];
    const auto at = std::lower_bound(content.begin(), content.end(), tombstone,
                                     [](const Tombstone& a, const Tombstone& b) { return a.id < b.id; });
    if (at != content.end() && at->id == tombstone.id) return {};  // journalled twice: the first one counts
    content.insert(at, tombstone);
    Segment& segment = segments_[number];
    if (segment.count++ == 0) segment.first_index = tombstone.journal_index;
    segment.last_index = std::max(segment.last_index, tombstone.journal_index);
    ++root_.tombstones;
    return {};
  }

  Result<void> finish(Batch& batch) {
    for (const auto& [place, content] : blocks_) {
      CALLVAULT_TRY_ASSIGN(Bytes value, encode(content));
      batch.put(block_key(Table::tombstones, place.first, place.second), std::move(value));
    }
    for (const auto& [number, segment] : segments_) batch.put(number_key(Table::segment, number), encode(segment));
    return {};
  }

 private:
  void open_segment() {
    const std::uint32_t number = root_.segments++;
    segments_[number] = {};
    for (std::uint32_t block = 0; block < std::uint32_t{1} << kSegmentBits; ++block) blocks_[{number, block}] = {};
  }

  View& view_;
  Root& root_;
  bool loaded_ = false;
  std::map<std::uint32_t, Segment> segments_;
  std::map<std::pair<std::uint32_t, std::uint32_t>, TombstoneBlock> blocks_;
};

}  // namespace

Result<void> Catalog::put_tombstones(std::span<const Tombstone> tombstones, std::uint64_t journal_position) {
  for (const Tombstone& tombstone : tombstones)
    if (tombstone.journal_index >= journal_position)
      return fail(Errc::usage, "a tombstone lies beyond the journal position: " + tombstone.id.text());
  return store_->update([&](View& view, Batch& batch) -> Result<void> {
    CALLVAULT_TRY_ASSIGN(Root root, read_root(view));
    if (journal_position <= root.journal_position) return {};
    std::vector<const Tombstone*> fresh;
    for (const Tombstone& tombstone : tombstones)
      if (tombstone.journal_index >= root.journal_position) fresh.push_back(&tombstone);
    std::stable_sort(fresh.begin(), fresh.end(),
                     [](const auto* a, const auto* b) { return a->journal_index < b->journal_index; });
    SegmentWriter writer(view, root);
    for (const Tombstone* tombstone : fresh) CALLVAULT_TRY(writer.add(*tombstone));
    CALLVAULT_TRY(writer.finish(batch));
    root.journal_position = journal_position;
    batch.put(root_key(), encode(root));
    return {};
  });
}

Result<void> Catalog::set_journal_position(std::uint64_t position) { return put_tombstones({}, position); }

Result<std::uint64_t> Catalog::journal_position() const {
  return store_->read([](View& view) -> Result<std::uint64_t> {
    CALLVAULT_TRY_ASSIGN(const Root root, read_root(view));
    return root.journal_position;
  });
}

Result<std::optional<Tombstone>> Catalog::tombstone(const RecordingId& id) const {
  return store_->read([&](View& view) -> Result<std::optional<Tombstone>> {
    CALLVAULT_TRY_ASSIGN(const Root root, read_root(view));
    for (std::uint32_t segment = root.segments; segment-- > 0;) {
      CALLVAULT_TRY_ASSIGN(const auto block, read_block(view, segment, block_of(id.bytes(), kSegmentBits)));
      for (const Tombstone& tombstone : block)
        if (tombstone.id == id) return std::optional<Tombstone>(tombstone);
    }
    return std::optional<Tombstone>();
  });
}

Result<std::vector<RecordingId>> Catalog::tombstones_with_prefix(std::string_view base32_prefix,
                                                                 std::size_t limit) const {
  CALLVAULT_TRY_ASSIGN(const IdPrefix prefix, parse_prefix(base32_prefix));
  const RecordingId low(prefix.low), high(prefix.high);
  return store_->read([&](View& view) -> Result<std::vector<RecordingId>> {
    CALLVAULT_TRY_ASSIGN(const Root root, read_root(view));
    std::set<RecordingId> ids;
    for (std::uint32_t segment = root.segments; segment-- > 0;) {
      const std::uint32_t last = block_of(prefix.high, kSegmentBits);
      for (std::uint32_t number = block_of(prefix.low, kSegmentBits); number <= last; ++number) {
        CALLVAULT_TRY_ASSIGN(const auto block, read_block(view, segment, number));
        for (const Tombstone& tombstone : block) {
          if (ids.size() >= limit) break;
          if (tombstone.id >= low && tombstone.id <= high) ids.insert(tombstone.id);
        }
      }
    }
    return std::vector<RecordingId>(ids.begin(), ids.end());
  });
}

Result<void> Catalog::for_each_tombstone(const std::function<bool(const Tombstone&)>& visit) const {
  CALLVAULT_TRY_ASSIGN(const Root root, store_->read([](View& view) { return read_root(view); }));
  for (std::uint32_t segment = root.segments; segment-- > 0;) {
    CALLVAULT_TRY_ASSIGN(std::vector<Tombstone> all, store_->read([&](View& view) -> Result<std::vector<Tombstone>> {
      std::vector<Tombstone> found;
      for (std::uint32_t number = 0; number < std::uint32_t{1} << kSegmentBits; ++number) {
        CALLVAULT_TRY_ASSIGN(const auto block, read_block(view, segment, number));
        found.insert(found.end(), block.begin(), block.end());
      }
      return found;
    }));
    std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.journal_index > b.journal_index; });
    for (const Tombstone& tombstone : all)
      if (!visit(tombstone)) return {};
  }
  return {};
}

}  // namespace callvault::catalog
