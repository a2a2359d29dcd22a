#include "crypto/kdf.h"

#include <sodium.h>

#include "crypto/raw.h"

namespace callvault::crypto {
namespace {

static_assert(crypto_auth_hmacsha256_BYTES == Key::kBytes);

unsigned char* raw_of(Key& key) { return reinterpret_cast<unsigned char*>(key.reveal_mutable().data()); }

// HMAC over two pieces; its state is wiped.
void hmac_into(unsigned char* out, ByteView key, ByteView first, ByteView second) {
  crypto_auth_hmacsha256_state state;
  crypto_auth_hmacsha256_init(&state, raw(key), key.size());
  crypto_auth_hmacsha256_update(&state, raw(first), first.size());
  crypto_auth_hmacsha256_update(&state, raw(second), second.size());
  crypto_auth_hmacsha256_final(&state, out);
  sodium_memzero(&state, sizeof state);
}

}  // namespace

Result<Key> hkdf_sha256(ByteView secret, ByteView salt, std::string_view info) {
  CALLVAULT_TRY_ASSIGN(Key pseudorandom, Key::random());
  hmac_into(raw_of(pseudorandom), salt, secret, {});
  constexpr std::byte kFirstBlock{1};
  CALLVAULT_TRY_ASSIGN(Key out, Key::random());
  hmac_into(raw_of(out), pseudorandom.reveal(), base::as_bytes(info), ByteView(&kFirstBlock, 1));
  return out;
}

Digest hmac_sha256(const Key& key, ByteView bytes) {
  Digest out{};
  hmac_into(reinterpret_cast<unsigned char*>(out.data()), key.reveal(), bytes, {});
  return out;
}

Result<Key> scrypt_key(ByteView passphrase, ByteView salt, unsigned log_n) {
  CALLVAULT_TRY_ASSIGN(Key out, Key::random());
  if (log_n < 1 || log_n > kMaxScryptLogN ||
      crypto_pwhash_scryptsalsa208sha256_ll(
          raw(passphrase), passphrase.size(), raw(salt), salt.size(), std::uint64_t{1} << log_n, 8, 1,
          reinterpret_cast<std::uint8_t*>(out.reveal_mutable().data()), Key::kBytes) != 0)
    return fail(Errc::unexpected, "not enough memory to derive a key from the passphrase");
  return out;
}

Result<Key> shared_secret(const Key& mine, const PublicKey& theirs) {
  CALLVAULT_TRY_ASSIGN(Key out, Key::random());
  if (crypto_scalarmult(raw_of(out), raw(mine.reveal()), raw(theirs)) != 0)
    return fail(Errc::usage, "the recipient's key is not usable: it would protect nothing");
  return out;
}

}  // namespace callvault::crypto
