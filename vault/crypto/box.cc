#include "crypto/box.h"

#include <sodium.h>

#include "crypto/aead.h"
#include "crypto/hash.h"
#include "crypto/raw.h"

namespace callvault::crypto {
namespace {

// One key per box: BLAKE2b(pepper or zeros; label, 0, shared secret, ephemeral key, recipient's key).
Result<Key> box_key(const Key& mine, const PublicKey& theirs, const Key* pepper, std::string_view label,
                    const PublicKey& ephemeral, const PublicKey& recipient) {
  CALLVAULT_TRY_ASSIGN(Key shared, Key::random());
  if (crypto_scalarmult(reinterpret_cast<unsigned char*>(shared.reveal_mutable().data()), raw(mine.reveal()),
                        raw(theirs)) != 0)
    return fail(Errc::corrupt, "a public key is not usable");
  static constexpr std::array<std::byte, Key::kBytes> kNoPepper{};
  CALLVAULT_TRY_ASSIGN(const Key salt, pepper != nullptr ? pepper->clone() : Key::copy_of(Key::View(kNoPepper)));
  CALLVAULT_TRY_ASSIGN(Key out, Key::random());
  Hasher hasher(salt);
  const std::byte separator{0};
  hasher.add(base::as_bytes(label));
  hasher.add(ByteView(&separator, 1));
  hasher.add(shared.reveal());
  hasher.add(ephemeral);
  hasher.add(recipient);
  hasher.finish_into(out.reveal_mutable());
  return out;
}

}  // namespace

Result<PublicKey> public_key_of(const Key& secret) {
  PublicKey out{};
  if (crypto_scalarmult_base(reinterpret_cast<unsigned char*>(out.data()), raw(secret.reveal())) != 0)
    return fail(Errc::unexpected, "cannot derive a public key");
  return out;
}

Result<KeyPair> make_key_pair() {
  CALLVAULT_TRY_ASSIGN(Key secret, Key::random());
  CALLVAULT_TRY_ASSIGN(const PublicKey public_key, public_key_of(secret));
  return KeyPair{std::move(secret), public_key};
}

Result<Bytes> seal_to(const PublicKey& to, const Key* pepper, std::string_view label, ByteView associated,
                      ByteView plaintext) {
  CALLVAULT_TRY_ASSIGN(const KeyPair ephemeral, make_key_pair());
  CALLVAULT_TRY_ASSIGN(const Key key, box_key(ephemeral.secret, to, pepper, label, ephemeral.public_key, to));
  Bytes out = base::to_bytes(ephemeral.public_key);
  const Bytes sealed = seal(key, associated, plaintext);
  out.insert(out.end(), sealed.begin(), sealed.end());
  return out;
}

Result<SecretBuffer> open_from(const Key& secret, const Key* pepper, std::string_view label, ByteView associated,
                               ByteView sealed, std::string_view what) {
  if (sealed.size() < kBoxOverhead) return fail(Errc::corrupt, std::string(what) + " is too short");
  PublicKey ephemeral{};
  std::copy_n(sealed.begin(), ephemeral.size(), ephemeral.begin());
  CALLVAULT_TRY_ASSIGN(const PublicKey mine, public_key_of(secret));
  CALLVAULT_TRY_ASSIGN(const Key key, box_key(secret, ephemeral, pepper, label, ephemeral, mine));
  return open(key, associated, sealed.subspan(ephemeral.size()), what);
}

}  // namespace callvault::crypto
