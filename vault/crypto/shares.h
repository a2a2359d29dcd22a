// Shamir's secret sharing over GF(2^8), by libgfshare: any `need` of the shares give the key, fewer give nothing.
#pragma once

#include <cstdint>
#include <vector>

#include "crypto/secret.h"

namespace callvault::crypto {

inline constexpr unsigned kMaxShares = 32;

struct KeyShare {
  std::uint8_t number = 0;  // 1 to kMaxShares
  Key part;
};

// Errors: usage unless 2 <= need <= of <= kMaxShares.
Result<std::vector<KeyShare>> split_key(const Key& secret, unsigned of, unsigned need);
// From shares of one split. Too few, or of several, give another key: the caller knows its public half.
// Errors: usage unless there are 2 to kMaxShares, each number once and in bounds.
Result<Key> join_key(const std::vector<KeyShare>& shares);

}  // namespace callvault::crypto
