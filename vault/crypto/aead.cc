#include "crypto/aead.h"

#include <sodium.h>

#include <array>

#include "crypto/raw.h"

namespace callvault::crypto {
namespace {

static_assert(kNonceBytes == crypto_aead_xchacha20poly1305_ietf_NPUBBYTES);
static_assert(kTagBytes == crypto_aead_xchacha20poly1305_ietf_ABYTES);
static_assert(kTagBytes == crypto_aead_chacha20poly1305_ietf_ABYTES);
static_assert(Key::kBytes == crypto_aead_chacha20poly1305_ietf_KEYBYTES);

bool open_into(const Key& key, ByteView associated, ByteView sealed, MutableBytes out) {
  unsigned long long length = 0;
  return crypto_aead_xchacha20poly1305_ietf_decrypt(raw(out), &length, nullptr, raw(sealed.subspan(kNonceBytes)),
                                                    sealed.size() - kNonceBytes, raw(associated), associated.size(),
                                                    raw(sealed), raw(key.reveal())) == 0;
}

Error refuse(std::string_view what) {
  return fail(Errc::corrupt,
              std::string(what) + " does not authenticate: it was damaged, tampered with, or belongs elsewhere");
}

using ChunkNonce = std::array<unsigned char, crypto_aead_chacha20poly1305_ietf_NPUBBYTES>;

ChunkNonce chunk_nonce(std::uint64_t counter, bool last) {
  ChunkNonce nonce{};
  for (std::size_t i = 0; i < 8; ++i) nonce[10 - i] = static_cast<unsigned char>(counter >> (8 * i));
  nonce[11] = last ? 1 : 0;
  return nonce;
}

}  // namespace

Bytes seal(const Key& key, ByteView associated, ByteView plaintext) {
  Bytes out(plaintext.size() + kSealOverhead);
  const MutableBytes nonce = MutableBytes(out).first(kNonceBytes);
  randombytes_buf(nonce.data(), nonce.size());
  unsigned long long length = 0;
  crypto_aead_xchacha20poly1305_ietf_encrypt(raw(MutableBytes(out).subspan(kNonceBytes)), &length, raw(plaintext),
                                             plaintext.size(), raw(associated), associated.size(), nullptr, raw(nonce),
                                             raw(key.reveal()));
  return out;
}

Result<SecretBuffer> open(const Key& key, ByteView associated, ByteView sealed, std::string_view what) {
  if (sealed.size() < kSealOverhead) return refuse(what);
  CALLVAULT_TRY_ASSIGN(SecretBuffer out, SecretBuffer::make(sealed.size() - kSealOverhead));
  if (!open_into(key, associated, sealed, out.reveal_mutable())) return refuse(what);
  return out;
}

Result<Bytes> open_plain(const Key& key, ByteView associated, ByteView sealed, std::string_view what) {
  if (sealed.size() < kSealOverhead) return refuse(what);
  Bytes out(sealed.size() - kSealOverhead);
  if (!open_into(key, associated, sealed, out)) return refuse(what);
  return out;
}

void seal_chunk(const Key& key, std::uint64_t counter, bool last, ByteView plaintext, MutableBytes out) {
  unsigned long long length = 0;
  const auto nonce = chunk_nonce(counter, last);
  crypto_aead_chacha20poly1305_ietf_encrypt(raw(out), &length, raw(plaintext), plaintext.size(), nullptr, 0, nullptr,
                                            nonce.data(), raw(key.reveal()));
}

bool open_chunk(const Key& key, std::uint64_t counter, bool last, ByteView sealed, MutableBytes out) {
  unsigned long long length = 0;
  const auto nonce = chunk_nonce(counter, last);
  return crypto_aead_chacha20poly1305_ietf_decrypt(raw(out), &length, nullptr, raw(sealed), sealed.size(), nullptr, 0,
                                                   nonce.data(), raw(key.reveal())) == 0;
}

}  // namespace callvault::crypto
