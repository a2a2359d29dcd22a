#include "crypto/sign.h"

#include <sodium.h>

#include "crypto/raw.h"

namespace callvault::crypto {
namespace {

struct Expanded {
  unsigned char secret[crypto_sign_SECRETKEYBYTES];
  SigningPublicKey public_key;
  explicit Expanded(const Key& seed) {
    crypto_sign_seed_keypair(reinterpret_cast<unsigned char*>(public_key.data()), secret,
                             reinterpret_cast<const unsigned char*>(seed.reveal().data()));
  }
  Expanded(const Expanded&) = delete;
  Expanded& operator=(const Expanded&) = delete;
  ~Expanded() { sodium_memzero(secret, sizeof secret); }
};

}  // namespace

SigningPublicKey signing_public_key(const Key& seed) { return Expanded(seed).public_key; }

Signature sign(const Key& seed, ByteView message) {
  const Expanded expanded(seed);
  Signature out{};
  crypto_sign_detached(reinterpret_cast<unsigned char*>(out.data()), nullptr, raw(message), message.size(),
                       expanded.secret);
  return out;
}

bool verify(const SigningPublicKey& key, ByteView message, const Signature& signature) {
  return crypto_sign_verify_detached(reinterpret_cast<const unsigned char*>(signature.data()), raw(message),
                                     message.size(), reinterpret_cast<const unsigned char*>(key.data())) == 0;
}

}  // namespace callvault::crypto
