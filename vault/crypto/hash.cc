#include "crypto/hash.h"

#include <sodium.h>

#include "crypto/raw.h"

namespace callvault::crypto {
namespace {

crypto_generichash_state* state_of(std::byte* bytes) { return reinterpret_cast<crypto_generichash_state*>(bytes); }

}  // namespace

Hasher::Hasher() : state_{} {
  static_assert(sizeof(crypto_generichash_state) <= sizeof(State) &&
                alignof(crypto_generichash_state) <= alignof(State));
  crypto_generichash_init(state_of(state_.bytes), nullptr, 0, 32);
}

Hasher::Hasher(const Key& key) : state_{} {
  crypto_generichash_init(state_of(state_.bytes), raw(key.reveal()), Key::kBytes, 32);
}

Hasher::~Hasher() { sodium_memzero(&state_, sizeof state_); }

void Hasher::add(ByteView bytes) { crypto_generichash_update(state_of(state_.bytes), raw(bytes), bytes.size()); }

Digest Hasher::finish() {
  Digest out{};
  finish_into(out);
  return out;
}

void Hasher::finish_into(std::span<std::byte, 32> out) {
  crypto_generichash_final(state_of(state_.bytes), reinterpret_cast<unsigned char*>(out.data()), out.size());
}

namespace {

crypto_hash_sha256_state* sha256_of(std::byte* bytes) { return reinterpret_cast<crypto_hash_sha256_state*>(bytes); }

}  // namespace

Sha256::Sha256() : state_{} {
  static_assert(sizeof(crypto_hash_sha256_state) <= sizeof(State) &&
                alignof(crypto_hash_sha256_state) <= alignof(State));
  crypto_hash_sha256_init(sha256_of(state_.bytes));
}

void Sha256::add(ByteView bytes) { crypto_hash_sha256_update(sha256_of(state_.bytes), raw(bytes), bytes.size()); }

Digest Sha256::finish() {
  Digest out{};
  crypto_hash_sha256_final(sha256_of(state_.bytes), reinterpret_cast<unsigned char*>(out.data()));
  return out;
}

Digest blake2b(ByteView bytes) {
  Hasher hasher;
  hasher.add(bytes);
  return hasher.finish();
}

Digest blake2b(const Key& key, ByteView bytes) {
  Hasher hasher(key);
  hasher.add(bytes);
  return hasher.finish();
}

Digest sha256(ByteView bytes) {
  Digest out{};
  crypto_hash_sha256(reinterpret_cast<unsigned char*>(out.data()), raw(bytes), bytes.size());
  return out;
}

bool equal(ByteView a, ByteView b) { return a.size() == b.size() && sodium_memcmp(a.data(), b.data(), a.size()) == 0; }

}  // namespace callvault::crypto
