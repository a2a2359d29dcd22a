// Bytes of LMDB's pages (data version 1), for those who read them.
#pragma once

#include <cstring>
#include <string>

#include "catalog/pages.h"

namespace callvault::catalog::page_layout {

inline constexpr std::size_t kHeaderBytes = 16;
inline constexpr std::size_t kNodeBytes = 8;
inline constexpr std::uint16_t kBranch = 0x01, kLeaf = 0x02, kOverflow = 0x04, kMeta = 0x08;
inline constexpr std::uint16_t kTransient = 0xC010;  // dirty, loose, keep: of memory only, may stay on disk
inline constexpr std::uint16_t kBig = 0x01;
inline constexpr std::size_t kMaxDepth = 32;

// REQUIRES: the bytes are there.
template <typename T>
T field(ByteView bytes, std::size_t at) {
  T value;
  std::memcpy(&value, bytes.data() + at, sizeof value);
  return value;
}

inline Error damaged(const std::string& what) { return fail(Errc::corrupt, "catalogue is damaged: " + what); }
inline Error damaged(const char* what, PageNumber page) {
  return damaged(what + std::string(", page ") + std::to_string(page));
}

}  // namespace callvault::catalog::page_layout
