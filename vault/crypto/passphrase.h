// From a passphrase to a key: Argon2id (RFC 9106), version 1.3, one lane.
#pragma once

#include <array>
#include <cstdint>

#include "callvault/passphrase.h"
#include "crypto/secret.h"

namespace callvault::crypto {

using Salt = std::array<std::byte, 16>;

struct PassphraseCost {
  std::uint32_t passes = 3;
  std::uint32_t memory_kib = 64 * 1024;
  bool operator==(const PassphraseCost&) const = default;
};
inline constexpr PassphraseCost kDefaultCost{};
inline constexpr PassphraseCost kUnsafeFastCost{1, 64};  // tests only

// Errc::corrupt when the cost is out of bounds (1..16 passes, 8 KiB..1 GiB), unexpected when memory runs out.
Result<Key> key_from_passphrase(std::span<const std::byte> passphrase, const Salt& salt, PassphraseCost cost);
Salt random_salt();

}  // namespace callvault::crypto
