#include "catalog/lookup.h"

#include "catalog/page_layout.h"

namespace callvault::catalog {

using namespace page_layout;

namespace {

std::size_t nodes_of(ByteView page) { return (field<std::uint16_t>(page, 12) - kHeaderBytes) / 2; }

// What stands before a node, and its key. Nothing when either leaves the page.
struct RawNode {
  std::size_t at = 0;
  ByteView key;
};
std::optional<RawNode> node_at(ByteView page, std::size_t i) {
  const std::size_t at = field<std::uint16_t>(page, kHeaderBytes + 2 * i);
  if (at < kHeaderBytes || at + kNodeBytes > page.size()) return std::nullopt;
  const std::size_t key_bytes = field<std::uint16_t>(page, at + 6);
  if (key_bytes > page.size() - at - kNodeBytes) return std::nullopt;
  return RawNode{at, page.subspan(at + kNodeBytes, key_bytes)};
}

// The first node in [low, count) whose key is not less than `key` (or, `above`, is greater).
Result<std::size_t> search(ByteView page, PageNumber number, std::size_t low, ByteView key, bool above) {
  std::size_t high = nodes_of(page);
  while (low < high) {
    const std::size_t middle = (low + high) / 2;
    const auto node = node_at(page, middle);
    if (!node) return damaged("node offset", number);
    const int order = compare(node->key, key);
    if (order < 0 || (above && order == 0))
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

}  // namespace

Result<ByteView> Lookup::page(PageNumber number, std::size_t level) {
  const bool leaf = level + 1 == meta_.main.depth;
  if (leaf && number == leaf_number_) return ByteView(leaf_);
  if (!leaf) {
    if (const Bytes* kept = upper_->find(number)) return ByteView(*kept);
  }
  if (number < 2 || number > meta_.last_page) return damaged("page number", number);
  Bytes& bytes = leaf ? leaf_ : branch_;
  bytes.resize(meta_.page_bytes);
  if (leaf) leaf_number_ = kNoPage;
  ++pages_read_;
  CALLVAULT_TRY_ASSIGN(const auto got, file_->read_at(bytes, number * meta_.page_bytes));
  if (got != bytes.size()) return damaged("the file is shorter than it says");
  const ByteView view(bytes);
  const auto flags = static_cast<std::uint16_t>(field<std::uint16_t>(view, 10) & ~kTransient);
  const std::size_t lower = field<std::uint16_t>(view, 12);
  if (field<std::uint64_t>(view, 0) != number || (flags != kBranch && flags != kLeaf)) return damaged("header", number);
  if ((flags == kLeaf) != leaf) return damaged("level", number);
  if (lower < kHeaderBytes || lower > view.size() || lower % 2 != 0) return damaged("bounds", number);
  if (nodes_of(view) < (leaf ? 1U : 2U)) return damaged("too few nodes", number);
  if (leaf) {
    leaf_number_ = number;
  } else if (const Bytes* kept = upper_->keep(number, bytes)) {
    return ByteView(*kept);
  }
  return view;
}

Result<std::optional<ByteView>> Lookup::find(ByteView key) {
  if (meta_.main.root == kNoPage) return std::optional<ByteView>();
  PageNumber number = meta_.main.root;
  std::size_t level = 0;
  for (; level + 1 < meta_.main.depth; ++level) {
    CALLVAULT_TRY_ASSIGN(const ByteView here, page(number, level));
    // Node 0 of a branch stands for everything below node 1, whatever key it holds.
    CALLVAULT_TRY_ASSIGN(const std::size_t next, search(here, number, 1, key, true));
    const auto node = node_at(here, next - 1);
    if (!node) return damaged("node offset", number);
    number = field<std::uint32_t>(here, node->at) | PageNumber{field<std::uint16_t>(here, node->at + 4)} << 32;
  }
  CALLVAULT_TRY_ASSIGN(const ByteView here, page(number, level));
  CALLVAULT_TRY_ASSIGN(const std::size_t i, search(here, number, 0, key, false));
  if (i == nodes_of(here)) return std::optional<ByteView>();
  const auto node = node_at(here, i);
  if (!node) return damaged("node offset", number);
  if (compare(node->key, key) != 0) return std::optional<ByteView>();
  const auto flags = field<std::uint16_t>(here, node->at + 4);
  const auto size = field<std::uint32_t>(here, node->at);
  const std::size_t value_at = node->at + kNodeBytes + node->key.size();
  const std::size_t in_page = flags == kBig ? sizeof(PageNumber) : size;
  if ((flags & ~kBig) != 0 || in_page > here.size() - value_at) return damaged("node size", number);
  if (flags != kBig) return std::optional<ByteView>(here.subspan(value_at, size));
  CALLVAULT_TRY_ASSIGN(big_, read_big_value(*file_, meta_, field<std::uint64_t>(here, value_at), size));
  return std::optional<ByteView>(ByteView(big_));
}

}  // namespace callvault::catalog
