// Secrets in locked memory. There is one word that gives raw access, `reveal`, so that every use can be grepped.
#pragma once

#include <cstddef>
#include <memory>
#include <span>

#include "base/bytes.h"
#include "callvault/result.h"

namespace callvault::crypto {

using base::Bytes;
using base::ByteView;
using base::MutableBytes;

// A buffer of secret bytes: locked pages of its own, wiped when it goes. For nodes, the directory, passphrases.
class SecretBuffer {
 public:
  // Zero-filled.
  static Result<SecretBuffer> make(std::size_t bytes);
  static Result<SecretBuffer> copy_of(ByteView bytes);
  // Zero-filled too, for much of which little will be used: who wipes that little ends it with `give_back_wiped`.
  static Result<SecretBuffer> make_roomy(std::size_t bytes);

  SecretBuffer() = default;
  SecretBuffer(SecretBuffer&& other) noexcept;
  SecretBuffer& operator=(SecretBuffer&& other) noexcept;
  ~SecretBuffer();

  ByteView reveal() const { return {pages_.data(), size_}; }
  MutableBytes reveal_mutable() { return {pages_.data(), size_}; }
  std::size_t size() const { return size_; }
  // REQUIRES: bytes <= size(). The cut part is wiped.
  void shrink(std::size_t bytes);
  // Ends it. REQUIRES: all of it is zero.
  void give_back_wiped();

 private:
  void wipe();
  MutableBytes pages_;
  std::size_t size_ = 0;
  bool roomy_ = false;
};

// A 32-byte key. Lives in a slab of locked pages shared by all keys of the process; wiped when it goes.
class Key {
 public:
  static constexpr std::size_t kBytes = 32;
  using View = std::span<const std::byte, kBytes>;

  static Result<Key> random();
  static Result<Key> copy_of(View bytes);
  // Errc::corrupt unless exactly 32 bytes.
  static Result<Key> copy_of(ByteView bytes);

  Key(Key&& other) noexcept;
  Key& operator=(Key&& other) noexcept;
  ~Key();

  View reveal() const;
  std::span<std::byte, kBytes> reveal_mutable();

  // Keyed BLAKE2b-256 of label || 0x00 || context under this key: a key for one purpose (docs/FORMAT.md, Labels).
  Result<Key> derive(std::string_view label, ByteView context = {}) const;
  // A second copy in locked memory.
  Result<Key> clone() const;

 private:
  explicit Key(std::byte* at) : at_(at) {}
  std::byte* at_ = nullptr;
};

}  // namespace callvault::crypto
