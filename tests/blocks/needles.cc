#include "blocks/needles.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "base/text.h"

namespace blocks {
namespace {

namespace base = callvault::base;

constexpr std::size_t kStart = 8, kPiece = 32, kLeastDifferent = 12;

std::uint64_t start_of(const std::byte* at) {
  std::uint64_t out = 0;
  std::memcpy(&out, at, kStart);
  return out;
}

std::size_t slot_of(std::uint64_t start) { return static_cast<std::size_t>((start * 0x9E3779B97F4A7C15ULL) >> 44); }

std::size_t different(ByteView bytes) { return std::set<std::byte>(bytes.begin(), bytes.end()).size(); }

// The part of a base64 text that this secret alone decides, when `before` bytes of something else stand in front.
std::string inside_base64(ByteView secret, std::size_t before) {
  Bytes padded(before);
  padded.insert(padded.end(), secret.begin(), secret.end());
  const std::string text = base::to_base64(padded);
  const std::size_t from = (before * 8 + 5) / 6, bits = padded.size() * 8;
  return text.substr(from, bits / 6 - from);
}

}  // namespace

void Needles::add_form(const std::string& what, const char* form, ByteView bytes) {
  REQUIRE(bytes.size() >= kStart);
  if (!known_.insert(base::to_bytes(bytes)).second) return;
  const auto start = start_of(bytes.data());
  by_start_.emplace(start, needles_.size());
  starts_[slot_of(start)] = true;
  needles_.push_back({what, form, base::to_bytes(bytes)});
}

void Needles::add(const std::string& what, ByteView secret) {
  add_form(what, "raw", secret);
  std::string hex = base::to_hex(secret);
  add_form(what, "hexadecimal", base::as_bytes(hex));
  std::transform(hex.begin(), hex.end(), hex.begin(),
                 [](char c) { return c >= 'a' ? static_cast<char>(c - 'a' + 'A') : c; });
  add_form(what, "hexadecimal", base::as_bytes(hex));
  for (std::size_t before = 0; before < 3; ++before) {
    std::string text = inside_base64(secret, before);
    if (text.size() < kStart) continue;
    add_form(what, "base64", base::as_bytes(text));
    std::replace(text.begin(), text.end(), '+', '-');
    std::replace(text.begin(), text.end(), '/', '_');
    add_form(what, "base64", base::as_bytes(text));
  }
}

void Needles::add(const std::string& what, std::string_view text) { add(what, base::as_bytes(text)); }

void Needles::add_pieces(const std::string& what, ByteView whole) {
  for (std::size_t at = 0; at + kPiece <= whole.size(); at += kPiece)
    if (const auto piece = whole.subspan(at, kPiece); different(piece) >= kLeastDifferent) add_form(what, "raw", piece);
}

std::vector<Hit> Needles::find_in(const std::filesystem::path& image) const {
  const int fd = ::open(image.c_str(), O_RDONLY | O_CLOEXEC);
  REQUIRE(fd >= 0);
  struct stat st {};
  REQUIRE(::fstat(fd, &st) == 0);
  const auto size = static_cast<std::size_t>(st.st_size);
  void* const map = ::mmap(nullptr, size, PROT_READ, MAP_SHARED, fd, 0);
  REQUIRE(map != MAP_FAILED);
  const auto* const bytes = static_cast<const std::byte*>(map);
  std::map<std::pair<std::string, std::string>, Hit> found;
  // Holes hold nothing. What begins before one ends in it.
  for (off_t from = ::lseek(fd, 0, SEEK_DATA); from >= 0;) {
    const off_t end = ::lseek(fd, from, SEEK_HOLE);
    const auto until = std::min(static_cast<std::size_t>(end), size - kStart + 1);
    for (auto at = static_cast<std::size_t>(from); at < until; ++at) {
      const auto start = start_of(bytes + at);
      if (!starts_[slot_of(start)]) continue;
      const auto [first, last] = by_start_.equal_range(start);
      for (auto it = first; it != last; ++it) {
        const Needle& needle = needles_[it->second];
        if (needle.bytes.size() > size - at || std::memcmp(bytes + at, needle.bytes.data(), needle.bytes.size()) != 0)
          continue;
        Hit& hit = found.try_emplace({needle.what, needle.form}, Hit{needle.what, needle.form, at, 0}).first->second;
        ++hit.times;
      }
    }
    from = ::lseek(fd, end, SEEK_DATA);
  }
  ::munmap(map, size);
  ::close(fd);
  std::vector<Hit> out;
  for (auto& [name, hit] : found) out.push_back(std::move(hit));
  return out;
}

std::string describe(const std::vector<Hit>& hits) {
  std::string out;
  for (const auto& hit : hits)
    out += hit.what + ", " + hit.form + ", at byte " + std::to_string(hit.at) + " (" + std::to_string(hit.times) +
           " times)\n";
  return out;
}

}  // namespace blocks
