// Ed25519 signatures (RFC 8032). A private key is its 32-byte seed.
#pragma once

#include <array>

#include "crypto/secret.h"

namespace callvault::crypto {

using SigningPublicKey = std::array<std::byte, 32>;
using Signature = std::array<std::byte, 64>;

SigningPublicKey signing_public_key(const Key& seed);
Signature sign(const Key& seed, ByteView message);
bool verify(const SigningPublicKey& key, ByteView message, const Signature& signature);

}  // namespace callvault::crypto
