// Reads LMDB's file (data version 1) without trusting it.
//
// LMDB has no checksums, and follows whatever offsets a damaged page holds: out of the page, out of the map, into
// SIGBUS. So nothing is read through it. Every page is fetched with pread, its header and node offsets are bounded
// once, and only then looked at. Before LMDB itself may change a path, `guard` has checked every page it can touch
// there.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

#include "os/file.h"

namespace callvault::catalog {

using base::Bytes;
using base::ByteView;
using PageNumber = std::uint64_t;

inline constexpr PageNumber kNoPage = ~PageNumber{0};
inline constexpr std::size_t kMaxValue = std::size_t{16} << 20;

struct TreeRoot {
  PageNumber root = kNoPage;
  std::uint16_t depth = 0;
  std::uint64_t entries = 0;
};

struct FileMeta {
  std::uint32_t page_bytes = 0;
  std::uint64_t transaction = 0;
  PageNumber last_page = 0;
  TreeRoot free, main;
};

// Both meta pages. Errors: corrupt, when either is damaged or the file is shorter than it says.
struct FileMetas {
  FileMeta newest, previous;
};
Result<FileMetas> read_meta(const os::File& file);

// A value that lies in pages of its own. Errors: corrupt, io.
Result<Bytes> read_big_value(const os::File& file, const FileMeta& meta, PageNumber first, std::uint32_t size);

// One checked page: a branch or a leaf.
class Page {
 public:
  static Result<Page> take(Bytes bytes, PageNumber number);

  std::size_t count() const { return count_; }
  bool is_leaf() const { return leaf_; }
  ByteView key(std::size_t i) const;
  PageNumber child(std::size_t i) const;                                // of a branch
  bool is_big(std::size_t i) const;                                     // of a leaf: the value lies in pages of its own
  ByteView value(std::size_t i) const;                                  // in the leaf
  std::pair<PageNumber, std::uint32_t> big_value(std::size_t i) const;  // first page, bytes
  std::size_t lower_bound(ByteView key) const;                          // first node that is not less
  std::size_t child_for(ByteView key) const;

 private:
  std::size_t at(std::size_t i) const;
  Bytes bytes_;
  std::size_t count_ = 0;
  bool leaf_ = false;
};
using PagePtr = std::shared_ptr<const Page>;

// LMDB's order for plain keys.
int compare(ByteView a, ByteView b);

// The main tree at one transaction, which the caller keeps from being overwritten.
class Tree {
 public:
  // REQUIRES: file outlives it.
  Tree(const os::File& file, const FileMeta& meta) : file_(&file), meta_(meta) {}

  const FileMeta& meta() const { return meta_; }
  Result<std::optional<Bytes>> get(ByteView key);
  // Checks every page that LMDB may read to put or remove `key`: its path, both siblings at each level with their
  // lowest leaves (which rebalancing reads), and the value pages it has now.
  Result<void> guard(ByteView key);
  // The same for the list of free pages, all of it.
  Result<void> guard_free_list();
  // Everything: every page used once, keys in order, counts right. Calls `seen` with each key and value.
  template <typename Seen>
  Result<void> walk_all(Seen seen);

  // Walks forward over keys, from the first that is not less than `from`.
  class Cursor {
   public:
    explicit Cursor(Tree& tree) : tree_(&tree) {}
    Result<void> seek(ByteView from);
    bool at_end() const { return stack_.empty(); }
    ByteView key() const { return stack_.back().first->key(stack_.back().second); }
    Result<Bytes> value() const { return tree_->value_of(*stack_.back().first, stack_.back().second); }
    Result<void> next();

   private:
    Result<void> settle();
    Tree* tree_;
    std::vector<std::pair<PagePtr, std::size_t>> stack_;
  };

 private:
  Result<PagePtr> page(PageNumber number);
  Result<PagePtr> page_at(PageNumber number, std::size_t level, std::uint16_t depth);
  Result<Bytes> value_of(const Page& page, std::size_t i);
  Result<void> check_lowest(PageNumber number, std::size_t level, std::uint16_t depth);
  Result<void> use(PageNumber first, std::uint64_t count);
  Result<void> count_pages(PageNumber number, std::size_t level, const TreeRoot& root, std::uint64_t& entries);
  Result<void> read_free_list(bool count);

  const os::File* file_;
  FileMeta meta_;
  std::unordered_map<PageNumber, PagePtr> branches_;
  std::array<std::pair<PageNumber, PagePtr>, 64> leaves_{};  // by number: most are met once
  std::vector<bool> used_;
  friend class Cursor;
};

template <typename Seen>
Result<void> Tree::walk_all(Seen seen) {
  used_.assign(meta_.last_page + 1, false);
  CALLVAULT_TRY(use(0, 2));
  std::uint64_t entries = 0;
  if (meta_.main.root != kNoPage) CALLVAULT_TRY(count_pages(meta_.main.root, 0, meta_.main, entries));
  if (entries != meta_.main.entries) return fail(Errc::corrupt, "catalogue: wrong number of entries");
  CALLVAULT_TRY(read_free_list(true));
  Bytes previous;
  Cursor cursor(*this);
  CALLVAULT_TRY(cursor.seek({}));
  while (!cursor.at_end()) {
    const ByteView key = cursor.key();
    if (key.empty() || (!previous.empty() && compare(previous, key) >= 0))
      return fail(Errc::corrupt, "catalogue: keys out of order");
    CALLVAULT_TRY_ASSIGN(const Bytes value, cursor.value());
    CALLVAULT_TRY(seen(key, ByteView(value)));
    previous.assign(key.begin(), key.end());
    CALLVAULT_TRY(cursor.next());
  }
  return {};
}

}  // namespace callvault::catalog
