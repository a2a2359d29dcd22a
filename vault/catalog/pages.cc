#include "catalog/pages.h"

#include <string>

#include "catalog/page_layout.h"

namespace callvault::catalog {

using namespace page_layout;

namespace {

constexpr std::size_t kCachedBranches = 4096;
constexpr std::size_t kMetaBytes = kHeaderBytes + 136;
constexpr std::uint32_t kMagic = 0xBEEFC0DE;

std::size_t even(std::size_t size) { return (size + 1) & ~std::size_t{1}; }

TreeRoot root_at(ByteView bytes, std::size_t at) {
  return {field<std::uint64_t>(bytes, at + 40), field<std::uint16_t>(bytes, at + 6),
          field<std::uint64_t>(bytes, at + 32)};
}

bool plausible(const TreeRoot& tree, PageNumber last) {
  if (tree.root == kNoPage) return tree.depth == 0 && tree.entries == 0;
  return tree.root >= 2 && tree.root <= last && tree.depth >= 1 && tree.depth <= kMaxDepth;
}

// `bytes` is at least kMetaBytes of page `number`.
Result<FileMeta> parse_meta(ByteView bytes, PageNumber number) {
  const ByteView meta = bytes.subspan(kHeaderBytes);
  FileMeta out;
  out.page_bytes = field<std::uint32_t>(meta, 24);
  out.free = root_at(meta, 24);
  out.main = root_at(meta, 72);
  out.last_page = field<std::uint64_t>(meta, 120);
  out.transaction = field<std::uint64_t>(meta, 128);
  const bool header = field<std::uint64_t>(bytes, 0) == number && (field<std::uint16_t>(bytes, 10) & kMeta) != 0 &&
                      field<std::uint32_t>(meta, 0) == kMagic && field<std::uint32_t>(meta, 4) == 1;
  const bool plain = field<std::uint64_t>(meta, 8) == 0 && field<std::uint16_t>(meta, 28) == 0x08 &&
                     field<std::uint16_t>(meta, 76) == 0;  // no fixed address; no flags that change the order
  const std::uint32_t size = out.page_bytes;
  const bool sizes = size >= 512 && size <= 32768 && (size & (size - 1)) == 0 && out.last_page >= 1 &&
                     out.last_page < (PageNumber{1} << 40);
  const bool place = out.transaction == 0 || (out.transaction & 1) == number;
  if (!header || !plain || !sizes || !place || !plausible(out.free, out.last_page) ||
      !plausible(out.main, out.last_page))
    return damaged("meta page", number);
  return out;
}

Result<FileMetas> read_meta_once(const os::File& file) {
  Bytes first(kMetaBytes), second(kMetaBytes);
  CALLVAULT_TRY_ASSIGN(const auto got, file.read_at(first, 0));
  if (got != first.size()) return damaged("the file is too short");
  CALLVAULT_TRY_ASSIGN(const FileMeta zero, parse_meta(first, 0));
  CALLVAULT_TRY_ASSIGN(const auto more, file.read_at(second, zero.page_bytes));
  if (more != second.size()) return damaged("the file is too short");
  CALLVAULT_TRY_ASSIGN(const FileMeta one, parse_meta(second, 1));
  const bool one_is_newer = one.transaction > zero.transaction;
  const FileMeta& newest = one_is_newer ? one : zero;
  const std::uint64_t apart = one_is_newer ? one.transaction - zero.transaction : zero.transaction - one.transaction;
  if (zero.page_bytes != one.page_bytes || (apart != 1 && newest.transaction != 0)) return damaged("meta pages differ");
  CALLVAULT_TRY_ASSIGN(const auto size, file.size());
  if (size / newest.page_bytes < newest.last_page + 1) return damaged("the file is shorter than it says");
  return FileMetas{newest, one_is_newer ? zero : one};
}

}  // namespace

Result<FileMetas> read_meta(const os::File& file) {
  // A writer may finish between the reads of both pages: a real damage is still there when looked at again.
  auto meta = read_meta_once(file);
  for (int again = 0; !meta && meta.error().code == Errc::corrupt && again < 3; ++again) meta = read_meta_once(file);
  return meta;
}

int compare(ByteView a, ByteView b) {
  const std::size_t common = std::min(a.size(), b.size());
  const int order = common == 0 ? 0 : std::memcmp(a.data(), b.data(), common);
  if (order != 0) return order;
  return a.size() < b.size() ? -1 : a.size() > b.size() ? 1 : 0;
}

Result<Page> Page::take(Bytes bytes, PageNumber number) {
  Page page;
  const ByteView view(bytes);
  const auto flags = static_cast<std::uint16_t>(field<std::uint16_t>(view, 10) & ~kTransient);
  const std::size_t lower = field<std::uint16_t>(view, 12), upper = field<std::uint16_t>(view, 14);
  if (field<std::uint64_t>(view, 0) != number || (flags != kBranch && flags != kLeaf)) return damaged("header", number);
  if (lower < kHeaderBytes || lower > upper || upper > view.size() || lower % 2 != 0) return damaged("bounds", number);
  page.leaf_ = flags == kLeaf;
  page.count_ = (lower - kHeaderBytes) / 2;
  if (page.count_ < (page.leaf_ ? 1U : 2U)) return damaged("too few nodes", number);
  std::size_t total = 0;
  for (std::size_t i = 0; i < page.count_; ++i) {
    const std::size_t at = field<std::uint16_t>(view, kHeaderBytes + 2 * i);
    if (at < upper || at % 2 != 0 || at + kNodeBytes > view.size()) return damaged("node offset", number);
    std::size_t size = kNodeBytes + field<std::uint16_t>(view, at + 6);
    if (page.leaf_) {
      const auto node_flags = field<std::uint16_t>(view, at + 4);
      if ((node_flags & ~kBig) != 0) return damaged("node flags", number);
      size += node_flags == kBig ? sizeof(PageNumber) : field<std::uint32_t>(view, at);
    }
    total += even(size);
    if (even(size) > view.size() - at) return damaged("node size", number);
  }
  if (total > view.size() - upper) return damaged("overlapping nodes", number);
  page.bytes_ = std::move(bytes);
  return page;
}

std::size_t Page::at(std::size_t i) const { return field<std::uint16_t>(bytes_, kHeaderBytes + 2 * i); }

ByteView Page::key(std::size_t i) const {
  const std::size_t node = at(i);
  return ByteView(bytes_).subspan(node + kNodeBytes, field<std::uint16_t>(bytes_, node + 6));
}

PageNumber Page::child(std::size_t i) const {
  const std::size_t node = at(i);
  return field<std::uint32_t>(bytes_, node) | PageNumber{field<std::uint16_t>(bytes_, node + 4)} << 32;
}

bool Page::is_big(std::size_t i) const { return field<std::uint16_t>(bytes_, at(i) + 4) == kBig; }

ByteView Page::value(std::size_t i) const {
  const std::size_t node = at(i);
  const std::size_t key_bytes = field<std::uint16_t>(bytes_, node + 6);
  return ByteView(bytes_).subspan(node + kNodeBytes + key_bytes, field<std::uint32_t>(bytes_, node));
}

std::pair<PageNumber, std::uint32_t> Page::big_value(std::size_t i) const {
  const std::size_t node = at(i);
  const std::size_t key_bytes = field<std::uint16_t>(bytes_, node + 6);
  return {field<std::uint64_t>(bytes_, node + kNodeBytes + key_bytes), field<std::uint32_t>(bytes_, node)};
}

std::size_t Page::lower_bound(ByteView key) const {
  std::size_t low = 0, high = count_;
  while (low < high) {
    const std::size_t middle = (low + high) / 2;
    if (compare(this->key(middle), key) < 0)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

std::size_t Page::child_for(ByteView key) const {
  // Node 0 of a branch stands for everything below node 1, whatever key it holds.
  std::size_t low = 1, high = count_;
  while (low < high) {
    const std::size_t middle = (low + high) / 2;
    if (compare(this->key(middle), key) <= 0)
      low = middle + 1;
    else
      high = middle;
  }
  return low - 1;
}

Result<PagePtr> Tree::page(PageNumber number) {
  auto& [leaf_number, leaf] = leaves_[number % leaves_.size()];
  if (leaf && leaf_number == number) return leaf;
  if (const auto found = branches_.find(number); found != branches_.end()) return found->second;
  if (number < 2 || number > meta_.last_page) return damaged("page number", number);
  Bytes bytes(meta_.page_bytes);
  CALLVAULT_TRY_ASSIGN(const auto got, file_->read_at(bytes, number * meta_.page_bytes));
  if (got != bytes.size()) return damaged("the file is shorter than it says");
  CALLVAULT_TRY_ASSIGN(Page checked, Page::take(std::move(bytes), number));
  auto shared = std::make_shared<const Page>(std::move(checked));
  if (shared->is_leaf()) {
    leaf_number = number;
    leaf = shared;
  } else {
    if (branches_.size() >= kCachedBranches) branches_.clear();
    branches_.emplace(number, shared);
  }
  return PagePtr(std::move(shared));
}

Result<PagePtr> Tree::page_at(PageNumber number, std::size_t level, std::uint16_t depth) {
  CALLVAULT_TRY_ASSIGN(PagePtr found, page(number));
  if (found->is_leaf() != (level + 1 == depth) || level >= depth) return damaged("level", number);
  return found;
}

Result<Bytes> read_big_value(const os::File& file, const FileMeta& meta, PageNumber first, std::uint32_t size) {
  if (size > kMaxValue) return damaged("value size, page", first);
  const std::uint64_t pages = (kHeaderBytes + size + meta.page_bytes - 1) / meta.page_bytes;
  if (first < 2 || first > meta.last_page || pages > meta.last_page - first + 1) return damaged("value pages", first);
  Bytes bytes(kHeaderBytes + size);
  CALLVAULT_TRY_ASSIGN(const auto got, file.read_at(bytes, first * meta.page_bytes));
  if (got != bytes.size()) return damaged("the file is shorter than it says");
  const auto flags = static_cast<std::uint16_t>(field<std::uint16_t>(bytes, 10) & ~kTransient);
  if (field<std::uint64_t>(bytes, 0) != first || flags != kOverflow || field<std::uint32_t>(bytes, 12) != pages)
    return damaged("value header", first);
  bytes.erase(bytes.begin(), bytes.begin() + kHeaderBytes);
  return bytes;
}

Result<Bytes> Tree::value_of(const Page& page, std::size_t i) {
  if (!page.is_big(i)) return base::to_bytes(page.value(i));
  const auto [first, size] = page.big_value(i);
  return read_big_value(*file_, meta_, first, size);
}

Result<std::optional<Bytes>> Tree::get(ByteView key) {
  if (meta_.main.root == kNoPage) return std::optional<Bytes>();
  PageNumber number = meta_.main.root;
  for (std::size_t level = 0;; ++level) {
    CALLVAULT_TRY_ASSIGN(const PagePtr here, page_at(number, level, meta_.main.depth));
    if (!here->is_leaf()) {
      number = here->child(here->child_for(key));
      continue;
    }
    const std::size_t i = here->lower_bound(key);
    if (i == here->count() || compare(here->key(i), key) != 0) return std::optional<Bytes>();
    CALLVAULT_TRY_ASSIGN(Bytes value, value_of(*here, i));
    return std::optional<Bytes>(std::move(value));
  }
}

Result<void> Tree::Cursor::seek(ByteView from) {
  stack_.clear();
  const TreeRoot& root = tree_->meta_.main;
  if (root.root == kNoPage) return {};
  PageNumber number = root.root;
  while (true) {
    CALLVAULT_TRY_ASSIGN(const PagePtr here, tree_->page_at(number, stack_.size(), root.depth));
    const std::size_t i = here->is_leaf() ? here->lower_bound(from) : here->child_for(from);
    stack_.emplace_back(here, i);
    if (here->is_leaf()) return settle();
    number = here->child(i);
  }
}

Result<void> Tree::Cursor::next() {
  ++stack_.back().second;
  return settle();
}

// Climbs out of finished pages and down to the next leaf.
Result<void> Tree::Cursor::settle() {
  while (!stack_.empty() && stack_.back().second >= stack_.back().first->count()) {
    stack_.pop_back();
    if (!stack_.empty()) ++stack_.back().second;
  }
  while (!stack_.empty() && !stack_.back().first->is_leaf()) {
    const PageNumber number = stack_.back().first->child(stack_.back().second);
    CALLVAULT_TRY_ASSIGN(const PagePtr below, tree_->page_at(number, stack_.size(), tree_->meta_.main.depth));
    stack_.emplace_back(below, 0);
  }
  return {};
}

}  // namespace callvault::catalog
