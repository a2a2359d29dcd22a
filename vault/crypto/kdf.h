// Key derivation as published formats want it: HKDF (RFC 5869) and HMAC over SHA-256, scrypt (RFC 7914).
#pragma once

#include <string_view>

#include "crypto/box.h"
#include "crypto/hash.h"

namespace callvault::crypto {

// 32 bytes of HKDF-SHA-256: extract, then one block of expand.
Result<Key> hkdf_sha256(ByteView secret, ByteView salt, std::string_view info);
Digest hmac_sha256(const Key& key, ByteView bytes);

inline constexpr unsigned kMaxScryptLogN = 22;
// N = 2^log_n, r = 8, p = 1. REQUIRES: 1 <= log_n <= kMaxScryptLogN. Errc::unexpected when memory runs out.
Result<Key> scrypt_key(ByteView passphrase, ByteView salt, unsigned log_n);

// X25519 alone, for formats that derive from it themselves. Errc::usage when `theirs` is a point of low order.
Result<Key> shared_secret(const Key& mine, const PublicKey& theirs);

}  // namespace callvault::crypto
