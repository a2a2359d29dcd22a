// Authenticated encryption.
#pragma once

#include <cstdint>

#include "crypto/secret.h"

namespace callvault::crypto {

inline constexpr std::size_t kTagBytes = 16;
inline constexpr std::size_t kNonceBytes = 24;  // XChaCha20-Poly1305
inline constexpr std::size_t kSealOverhead = kNonceBytes + kTagBytes;

// XChaCha20-Poly1305-IETF with a fresh random nonce: nonce || ciphertext || tag.
Bytes seal(const Key& key, ByteView associated, ByteView plaintext);
// Errc::corrupt when it does not authenticate or is too short. `what` names the object in the message.
Result<SecretBuffer> open(const Key& key, ByteView associated, ByteView sealed, std::string_view what);
// The same for plaintexts that are personal data but no keys: ordinary memory.
Result<Bytes> open_plain(const Key& key, ByteView associated, ByteView sealed, std::string_view what);

// Chunks: ChaCha20-Poly1305-IETF (RFC 8439), nonce = 11-byte big-endian counter || last flag (0 or 1), no associated
// data. REQUIRES: the key never seals another chunk with the same counter; out.size() == plaintext.size() + kTagBytes.
void seal_chunk(const Key& key, std::uint64_t counter, bool last, ByteView plaintext, MutableBytes out);
// REQUIRES: out.size() + kTagBytes == sealed.size(). False when it does not authenticate.
bool open_chunk(const Key& key, std::uint64_t counter, bool last, ByteView sealed, MutableBytes out);

}  // namespace callvault::crypto
