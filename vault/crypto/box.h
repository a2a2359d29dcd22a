// Sealing to a public key: X25519 (RFC 7748) with a fresh ephemeral key, keyed BLAKE2b, XChaCha20-Poly1305.
// A pepper both sides know may go in: then neither the private key nor a break of X25519 is enough alone.
#pragma once

#include <array>

#include "crypto/secret.h"

namespace callvault::crypto {

using PublicKey = std::array<std::byte, 32>;

struct KeyPair {
  Key secret;
  PublicKey public_key;
};

Result<KeyPair> make_key_pair();
Result<PublicKey> public_key_of(const Key& secret);

inline constexpr std::size_t kBoxOverhead = 32 + 24 + 16;  // ephemeral key, nonce, tag

// ephemeral public key || nonce || ciphertext || tag.
Result<Bytes> seal_to(const PublicKey& to, const Key* pepper, std::string_view label, ByteView associated,
                      ByteView plaintext);
Result<SecretBuffer> open_from(const Key& secret, const Key* pepper, std::string_view label, ByteView associated,
                               ByteView sealed, std::string_view what);

}  // namespace callvault::crypto
