// Ed25519 signatures (RFC 8032). A private key is its 32-byte seed.
#pragma once

#include <array>

#include "crypto/secret.h"

namespace callvault::crypto {

using SigningPublicKey = std::array<std::byte, 32>;
using Signature = std::array<std::byte, 64>;

// A private key made ready for several uses: making it ready costs as much as a signature. Wiped when it goes.
class Signer {
 public:
  explicit Signer(const Key& seed);
  Signer(const Signer&) = delete;
  Signer& operator=(const Signer&) = delete;
  ~Signer();

  const SigningPublicKey& public_key() const { return public_key_; }
  Signature sign(ByteView message) const;

 private:
  std::array<std::byte, 64> secret_{};
  SigningPublicKey public_key_{};
};

SigningPublicKey signing_public_key(const Key& seed);
Signature sign(const Key& seed, ByteView message);
bool verify(const SigningPublicKey& key, ByteView message, const Signature& signature);

}  // namespace callvault::crypto
