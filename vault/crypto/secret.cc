#include "crypto/secret.h"

#include <sodium.h>

#include <mutex>
#include <vector>

#include "crypto/hash.h"
#include "os/memory.h"

namespace callvault::crypto {
namespace {

// Fixed-size cells in locked pages; freed cells are reused, pages are kept until the process ends.
class Slab {
 public:
  Result<std::byte*> take() {
    const std::lock_guard guard(mutex_);
    if (free_.empty()) {
      CALLVAULT_TRY_ASSIGN(const MutableBytes pages, os::map_locked(os::page_bytes()));
      for (std::size_t at = 0; at + Key::kBytes <= pages.size(); at += Key::kBytes) free_.push_back(pages.data() + at);
    }
    std::byte* cell = free_.back();
    free_.pop_back();
    return cell;
  }
  void give_back(std::byte* cell) {
    sodium_memzero(cell, Key::kBytes);
    const std::lock_guard guard(mutex_);
    free_.push_back(cell);
  }

 private:
  std::mutex mutex_;
  std::vector<std::byte*> free_;
};

// Never destroyed: keys of static duration may outlive any order of destruction.
Slab& slab() {
  static auto* const instance = new Slab;
  return *instance;
}

// The locked pages of the last large buffer, wiped. Verbs open one node after the other, and mapping, locking and
// clearing pages anew for each costs as much as reading it. Those of roomy buffers lie apart: any that is large enough
// will do for the next, since only what was used of it is wiped.
class Spare {
 public:
  enum Kind : std::uint8_t { whole = 0, roomy = 1 };

  Result<MutableBytes> take(std::size_t bytes, Kind kind) {
    {
      const std::lock_guard guard(mutex_);
      MutableBytes& idle = idle_[kind];
      // Not for much less than it holds, when all of its pages are wiped in the end.
      if (idle.size() >= bytes && (kind == roomy || bytes >= idle.size() / 2) && !idle.empty())
        return std::exchange(idle, {});
    }
    auto fresh = os::map_locked(bytes);
    if (fresh) return fresh;
    // Locked memory is scarce: what lies idle goes first.
    const std::lock_guard guard(mutex_);
    if (idle_[whole].empty() && idle_[roomy].empty()) return fresh;
    for (MutableBytes& idle : idle_) os::unmap_locked(std::exchange(idle, {}));
    return os::map_locked(bytes);
  }
  // REQUIRES: wiped.
  void give(MutableBytes pages, Kind kind) {
    const std::lock_guard guard(mutex_);
    MutableBytes& idle = idle_[kind];
    const bool worthwhile = kind == roomy ? pages.size() > idle.size() : pages.size() >= kWorthwhile;
    if (worthwhile && pages.size() <= kMostKept) std::swap(pages, idle);
    os::unmap_locked(pages);
  }

 private:
  static constexpr std::size_t kWorthwhile = 64 * 1024;
  static constexpr std::size_t kMostKept = 2 * 1024 * 1024;
  std::mutex mutex_;
  MutableBytes idle_[2];
};

Spare& spare() {
  static auto* const instance = new Spare;
  return *instance;
}

}  // namespace

Result<SecretBuffer> SecretBuffer::make(std::size_t bytes) {
  SecretBuffer out;
  CALLVAULT_TRY_ASSIGN(out.pages_, spare().take(bytes, Spare::whole));
  out.size_ = bytes;
  return out;
}

Result<SecretBuffer> SecretBuffer::make_roomy(std::size_t bytes) {
  SecretBuffer out;
  CALLVAULT_TRY_ASSIGN(out.pages_, spare().take(bytes, Spare::roomy));
  out.size_ = bytes;
  out.roomy_ = true;
  return out;
}

Result<SecretBuffer> SecretBuffer::copy_of(ByteView bytes) {
  CALLVAULT_TRY_ASSIGN(SecretBuffer out, make(bytes.size()));
  std::copy(bytes.begin(), bytes.end(), out.pages_.begin());
  return out;
}

SecretBuffer::SecretBuffer(SecretBuffer&& other) noexcept
    : pages_(std::exchange(other.pages_, {})), size_(std::exchange(other.size_, 0)), roomy_(other.roomy_) {}

SecretBuffer& SecretBuffer::operator=(SecretBuffer&& other) noexcept {
  if (this != &other) {
    wipe();
    pages_ = std::exchange(other.pages_, {});
    size_ = std::exchange(other.size_, 0);
    roomy_ = other.roomy_;
  }
  return *this;
}

SecretBuffer::~SecretBuffer() { wipe(); }

void SecretBuffer::wipe() {
  if (pages_.empty()) return;
  sodium_memzero(pages_.data(), pages_.size());
  give_back_wiped();
}

void SecretBuffer::give_back_wiped() {
  if (pages_.empty()) return;
  spare().give(std::exchange(pages_, {}), roomy_ ? Spare::roomy : Spare::whole);
  size_ = 0;
}

void SecretBuffer::shrink(std::size_t bytes) {
  if (bytes >= size_) return;
  sodium_memzero(pages_.data() + bytes, size_ - bytes);
  size_ = bytes;
}

Result<Key> Key::random() {
  CALLVAULT_TRY_ASSIGN(std::byte * cell, slab().take());
  randombytes_buf(cell, kBytes);
  return Key(cell);
}

Result<Key> Key::copy_of(View bytes) {
  CALLVAULT_TRY_ASSIGN(std::byte * cell, slab().take());
  std::copy(bytes.begin(), bytes.end(), cell);
  return Key(cell);
}

Result<Key> Key::copy_of(ByteView bytes) {
  if (bytes.size() != kBytes) return fail(Errc::corrupt, "a key has the wrong length");
  return copy_of(View(bytes.data(), kBytes));
}

Key::Key(Key&& other) noexcept : at_(std::exchange(other.at_, nullptr)) {}

Key& Key::operator=(Key&& other) noexcept {
  if (this != &other) {
    if (at_ != nullptr) slab().give_back(at_);
    at_ = std::exchange(other.at_, nullptr);
  }
  return *this;
}

Key::~Key() {
  if (at_ != nullptr) slab().give_back(at_);
}

Key::View Key::reveal() const { return View(at_, kBytes); }
std::span<std::byte, Key::kBytes> Key::reveal_mutable() { return std::span<std::byte, kBytes>(at_, kBytes); }

Result<Key> Key::derive(std::string_view label, ByteView context) const {
  CALLVAULT_TRY_ASSIGN(std::byte * cell, slab().take());
  Key out(cell);
  Hasher hasher(*this);
  const std::byte separator{0};
  hasher.add(base::as_bytes(label));
  hasher.add(ByteView(&separator, 1));
  hasher.add(context);
  hasher.finish_into(out.reveal_mutable());
  return out;
}

Result<Key> Key::clone() const { return copy_of(reveal()); }

}  // namespace callvault::crypto
