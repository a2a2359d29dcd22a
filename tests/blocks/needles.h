// What must not lie on a device, and a search for it at every byte of an image.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/bytes.h"

namespace blocks {

using callvault::base::Bytes;
using callvault::base::ByteView;

struct Hit {
  std::string what, form;  // "a root key", "base64"
  std::uint64_t at = 0;    // of its first finding in the image
  std::size_t times = 0;
};

class Needles {
 public:
  // As it is, in hexadecimal, and inside base64 wherever it begins there. Twice the same: once. At least 8 bytes.
  void add(const std::string& what, ByteView secret);
  void add(const std::string& what, std::string_view text);
  // Only as it is: of something long, pieces of 32 bytes, so that any 63 of its bytes are found. Pieces of few
  // different bytes (silence, padding) are left out.
  void add_pieces(const std::string& what, ByteView whole);
  std::size_t size() const { return needles_.size(); }

  std::vector<Hit> find_in(const std::filesystem::path& image) const;

 private:
  struct Needle {
    std::string what, form;
    Bytes bytes;
  };
  void add_form(const std::string& what, const char* form, ByteView bytes);

  std::vector<Needle> needles_;
  std::set<Bytes> known_;
  std::unordered_multimap<std::uint64_t, std::size_t> by_start_;
  std::vector<bool> starts_ = std::vector<bool>(std::size_t{1} << 20);
};

// "a root key as base64 at byte 4096 (3 times)", a line for each.
std::string describe(const std::vector<Hit>& hits);

}  // namespace blocks
