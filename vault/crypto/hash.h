// Hashes: BLAKE2b-256 (RFC 7693) plain and keyed; SHA-256 for the Merkle tree (RFC 6962).
#pragma once

#include <array>
#include <cstddef>

#include "crypto/secret.h"

namespace callvault::crypto {

using Digest = std::array<std::byte, 32>;

// Streaming BLAKE2b-256. Its state is wiped when it goes.
class Hasher {
 public:
  Hasher();
  explicit Hasher(const Key& key);
  Hasher(const Hasher&) = delete;
  Hasher& operator=(const Hasher&) = delete;
  ~Hasher();

  void add(ByteView bytes);
  // Once.
  Digest finish();
  void finish_into(std::span<std::byte, 32> out);

 private:
  struct alignas(64) State {
    std::byte bytes[384];
  };
  State state_;
};

// Streaming SHA-256, for what others verify.
class Sha256 {
 public:
  Sha256();
  void add(ByteView bytes);
  // Once.
  Digest finish();

 private:
  struct alignas(8) State {
    std::byte bytes[104];
  };
  State state_;
};

Digest blake2b(ByteView bytes);
Digest blake2b(const Key& key, ByteView bytes);
Digest sha256(ByteView bytes);
// Constant time.
bool equal(ByteView a, ByteView b);

}  // namespace callvault::crypto
