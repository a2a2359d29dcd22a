// What is checked before LMDB may touch a page, and the walk over all of them.
#include <cstring>
#include <string>

#include "catalog/pages.h"

namespace callvault::catalog {
namespace {

Error bad_page(const char* what, PageNumber page) {
  return fail(Errc::corrupt, "catalogue is damaged: " + std::string(what) + ", page " + std::to_string(page));
}

std::uint64_t number_at(ByteView bytes, std::size_t i) {
  std::uint64_t value = 0;
  std::memcpy(&value, bytes.data() + 8 * i, sizeof value);
  return value;
}

}  // namespace

Result<void> Tree::check_lowest(PageNumber number, std::size_t level, std::uint16_t depth) {
  while (true) {
    CALLVAULT_TRY_ASSIGN(const PagePtr here, page_at(number, level, depth));
    if (here->is_leaf()) return {};
    number = here->child(0);
    ++level;
  }
}

Result<void> Tree::guard(ByteView key) {
  const std::uint16_t depth = meta_.main.depth;
  if (meta_.main.root == kNoPage) return {};
  PageNumber number = meta_.main.root;
  for (std::size_t level = 0;; ++level) {
    CALLVAULT_TRY_ASSIGN(const PagePtr here, page_at(number, level, depth));
    if (here->is_leaf()) {
      const std::size_t i = here->lower_bound(key);
      if (i < here->count() && compare(here->key(i), key) == 0) CALLVAULT_TRY(value_of(*here, i));
      return {};
    }
    const std::size_t i = here->child_for(key);
    if (i > 0) CALLVAULT_TRY(check_lowest(here->child(i - 1), level + 1, depth));
    if (i + 1 < here->count()) CALLVAULT_TRY(check_lowest(here->child(i + 1), level + 1, depth));
    if (i > 1) CALLVAULT_TRY(check_lowest(here->child(0), level + 1, depth));
    number = here->child(i);
  }
}

Result<void> Tree::guard_free_list() { return read_free_list(false); }

Result<void> Tree::use(PageNumber first, std::uint64_t count) {
  for (PageNumber page = first; page < first + count; ++page) {
    if (page > meta_.last_page) return bad_page("beyond the end", page);
    if (used_[page]) return bad_page("used twice", page);
    used_[page] = true;
  }
  return {};
}

Result<void> Tree::count_pages(PageNumber number, std::size_t level, const TreeRoot& root, std::uint64_t& entries) {
  CALLVAULT_TRY_ASSIGN(const PagePtr here, page_at(number, level, root.depth));
  CALLVAULT_TRY(use(number, 1));
  for (std::size_t i = 0; i < here->count(); ++i) {
    if (!here->is_leaf()) {
      CALLVAULT_TRY(count_pages(here->child(i), level + 1, root, entries));
      continue;
    }
    ++entries;
    if (!here->is_big(i)) continue;
    const auto [first, size] = here->big_value(i);
    CALLVAULT_TRY(value_of(*here, i));
    CALLVAULT_TRY(use(first, (16 + std::uint64_t{size} + meta_.page_bytes - 1) / meta_.page_bytes));
  }
  return {};
}

// Freed pages, by the transaction that freed them: a count, then page numbers from high to low.
Result<void> Tree::read_free_list(bool count) {
  if (meta_.free.root == kNoPage) return {};
  std::vector<std::pair<PageNumber, std::size_t>> todo{{meta_.free.root, 0}};
  std::uint64_t seen = 0;
  while (!todo.empty()) {
    const auto [number, level] = todo.back();
    todo.pop_back();
    CALLVAULT_TRY_ASSIGN(const PagePtr here, page_at(number, level, meta_.free.depth));
    if (++seen > meta_.last_page) return bad_page("loop in the free list", number);
    if (count) CALLVAULT_TRY(use(number, 1));
    for (std::size_t i = 0; i < here->count(); ++i) {
      if (!here->is_leaf()) {
        todo.emplace_back(here->child(i), level + 1);
        continue;
      }
      CALLVAULT_TRY_ASSIGN(const Bytes value, value_of(*here, i));
      if (count && here->is_big(i)) {
        const auto [first, size] = here->big_value(i);
        CALLVAULT_TRY(use(first, (16 + std::uint64_t{size} + meta_.page_bytes - 1) / meta_.page_bytes));
      }
      if (here->key(i).size() != 8 || number_at(here->key(i), 0) > meta_.transaction || value.size() < 8 ||
          value.size() % 8 != 0 || number_at(value, 0) > value.size() / 8 - 1)
        return bad_page("free list", number);
      PageNumber above = meta_.last_page + 1;
      for (std::uint64_t n = number_at(value, 0), at = 1; at <= n; ++at) {
        const PageNumber page = number_at(value, at);
        if (page < 2 || page >= above) return bad_page("free list", number);
        above = page;
        if (count) CALLVAULT_TRY(use(page, 1));
      }
    }
  }
  return {};
}

}  // namespace callvault::catalog
