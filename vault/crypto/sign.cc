#include "crypto/sign.h"

#include <sodium.h>

#include "crypto/raw.h"

namespace callvault::crypto {

Signer::Signer(const Key& seed) {
  static_assert(crypto_sign_SECRETKEYBYTES == sizeof(secret_) && crypto_sign_PUBLICKEYBYTES == sizeof(public_key_));
  crypto_sign_seed_keypair(reinterpret_cast<unsigned char*>(public_key_.data()),
                           reinterpret_cast<unsigned char*>(secret_.data()),
                           reinterpret_cast<const unsigned char*>(seed.reveal().data()));
}

Signer::~Signer() { sodium_memzero(secret_.data(), secret_.size()); }

Signature Signer::sign(ByteView message) const {
  Signature out{};
  crypto_sign_detached(reinterpret_cast<unsigned char*>(out.data()), nullptr, raw(message), message.size(),
                       reinterpret_cast<const unsigned char*>(secret_.data()));
  return out;
}

SigningPublicKey signing_public_key(const Key& seed) { return Signer(seed).public_key(); }

Signature sign(const Key& seed, ByteView message) { return Signer(seed).sign(message); }

bool verify(const SigningPublicKey& key, ByteView message, const Signature& signature) {
  return crypto_sign_verify_detached(reinterpret_cast<const unsigned char*>(signature.data()), raw(message),
                                     message.size(), reinterpret_cast<const unsigned char*>(key.data())) == 0;
}

}  // namespace callvault::crypto
