// Looks up single keys, for searches that ask every bucket. Of each page it checks what it looks at: number, kind and
// level, and the bounds of the nodes on its way. That is enough to read, since nothing outside the page is touched and
// what is found holds a check of its own; before LMDB may write, Tree checks pages whole.
#pragma once

#include <memory>
#include <optional>
#include <unordered_map>

#include "catalog/pages.h"

namespace callvault::catalog {

// Pages above the leaves, as one transaction left them. As long as it is the newest, or pinned, nobody rewrites them:
// so they may be kept from one search to the next.
class UpperPages {
 public:
  // Null when it is not kept.
  const Bytes* find(PageNumber number) const {
    const auto at = pages_.find(number);
    return at == pages_.end() ? nullptr : &at->second;
  }
  // Null when there are too many.
  const Bytes* keep(PageNumber number, const Bytes& page) {
    return pages_.size() < kMost ? &pages_.emplace(number, page).first->second : nullptr;
  }

 private:
  static constexpr std::size_t kMost = 1024;
  std::unordered_map<PageNumber, Bytes> pages_;  // their places are lasting
};

class Lookup {
 public:
  // REQUIRES: file and `upper` outlive it; `upper` is of this file and this transaction.
  Lookup(const os::File& file, const FileMeta& meta, UpperPages& upper)
      : file_(&file), meta_(meta), upper_(&upper), leaf_(meta.page_bytes) {}

  // The stored value where it lies, until the next call. Nothing when there is none. Errors: corrupt, io.
  Result<std::optional<ByteView>> find(ByteView key);
  // How many pages were read from the file.
  std::uint64_t pages_read() const { return pages_read_; }

 private:
  Result<ByteView> page(PageNumber number, std::size_t level);

  const os::File* file_;
  FileMeta meta_;
  UpperPages* upper_;
  Bytes leaf_, branch_, big_;
  PageNumber leaf_number_ = kNoPage;
  std::uint64_t pages_read_ = 0;
};

}  // namespace callvault::catalog
