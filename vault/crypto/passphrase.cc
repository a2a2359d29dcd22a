#include "crypto/passphrase.h"

#include <sodium.h>

#include "crypto/raw.h"

namespace callvault {

struct Passphrase::Memory {
  crypto::SecretBuffer buffer;
};

Passphrase::Passphrase(std::unique_ptr<Memory> memory) : memory_(std::move(memory)) {}
Passphrase::Passphrase(Passphrase&&) noexcept = default;
Passphrase& Passphrase::operator=(Passphrase&&) noexcept = default;
Passphrase::~Passphrase() = default;

Result<Passphrase> Passphrase::take(std::span<char> text) {
  if (text.empty()) return fail(Errc::usage, "the passphrase is empty");
  if (text.size() > 1024) return fail(Errc::usage, "the passphrase is longer than 1,024 bytes");
  auto buffer = crypto::SecretBuffer::copy_of(std::as_bytes(text));
  sodium_memzero(text.data(), text.size());
  if (!buffer) return std::move(buffer).error();
  return Passphrase(std::make_unique<Memory>(Memory{std::move(*buffer)}));
}

std::span<const std::byte> Passphrase::reveal() const { return memory_->buffer.reveal(); }

}  // namespace callvault

namespace callvault::crypto {

Result<Key> key_from_passphrase(std::span<const std::byte> passphrase, const Salt& salt, PassphraseCost cost) {
  if (cost.passes < 1 || cost.passes > 16 || cost.memory_kib < 8 || cost.memory_kib > 1024 * 1024)
    return fail(Errc::corrupt, "the passphrase cost is out of bounds");
  static_assert(std::tuple_size_v<Salt> == crypto_pwhash_argon2id_SALTBYTES);
  CALLVAULT_TRY_ASSIGN(Key out, Key::random());
  const auto key = out.reveal_mutable();
  if (crypto_pwhash(reinterpret_cast<unsigned char*>(key.data()), key.size(),
                    reinterpret_cast<const char*>(raw(passphrase)), passphrase.size(),
                    reinterpret_cast<const unsigned char*>(salt.data()), cost.passes,
                    std::size_t{cost.memory_kib} * 1024, crypto_pwhash_ALG_ARGON2ID13) != 0)
    return fail(Errc::unexpected, "not enough memory to derive a key from the passphrase");
  return out;
}

Salt random_salt() {
  Salt out{};
  randombytes_buf(out.data(), out.size());
  return out;
}

}  // namespace callvault::crypto
