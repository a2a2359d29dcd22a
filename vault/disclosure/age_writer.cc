#include "disclosure/age_writer.h"

#include <array>

#include "base/text.h"
#include "crypto/aead.h"
#include "crypto/kdf.h"
#include "crypto/random.h"
#include "disclosure/recipient.h"

namespace callvault::disclosure {
namespace {

constexpr std::string_view kVersionLine = "age-encryption.org/v1\n";
constexpr std::size_t kFileKeyBytes = 16;
constexpr std::size_t kNonceBytes = 16;
constexpr std::size_t kSaltBytes = 16;

// Base 64 as age writes it: without padding.
std::string age_base64(base::ByteView bytes) {
  std::string out = base::to_base64(bytes);
  while (out.ends_with('=')) out.pop_back();
  return out;
}

// The file key under a key for this recipient alone, so its nonce may be zero.
std::string wrapped_file_key(const crypto::Key& wrap_key, const crypto::SecretBuffer& file_key) {
  std::array<std::byte, kFileKeyBytes + crypto::kTagBytes> body{};
  crypto::seal_chunk(wrap_key, 0, false, file_key.reveal(), body);
  return age_base64(body);
}

Result<std::string> x25519_stanza(const std::string& recipient, const crypto::SecretBuffer& file_key) {
  CALLVAULT_TRY_ASSIGN(const auto theirs, parse_recipient(recipient));
  CALLVAULT_TRY_ASSIGN(const auto ephemeral, crypto::make_key_pair());
  CALLVAULT_TRY_ASSIGN(const auto shared, crypto::shared_secret(ephemeral.secret, theirs));
  base::Bytes salt = base::to_bytes(ephemeral.public_key);
  salt.insert(salt.end(), theirs.begin(), theirs.end());
  CALLVAULT_TRY_ASSIGN(const auto wrap_key, crypto::hkdf_sha256(shared.reveal(), salt, "age-encryption.org/v1/X25519"));
  return "-> X25519 " + age_base64(ephemeral.public_key) + "\n" + wrapped_file_key(wrap_key, file_key) + "\n";
}

Result<std::string> scrypt_stanza(const Passphrase& passphrase, unsigned log_n, const crypto::SecretBuffer& file_key) {
  std::array<std::byte, kSaltBytes> salt{};
  crypto::fill_random(salt);
  base::Bytes labelled = base::to_bytes(base::as_bytes("age-encryption.org/v1/scrypt"));
  labelled.insert(labelled.end(), salt.begin(), salt.end());
  CALLVAULT_TRY_ASSIGN(const auto wrap_key, crypto::scrypt_key(passphrase.reveal(), labelled, log_n));
  return "-> scrypt " + age_base64(salt) + " " + std::to_string(log_n) + "\n" + wrapped_file_key(wrap_key, file_key) +
         "\n";
}

}  // namespace

Result<void> check_seal_for(const SealFor& seal_for) {
  if (seal_for.recipient.empty() == (seal_for.passphrase == nullptr))
    return fail(Errc::usage, "what leaves the vault is sealed to one recipient, or to one passphrase");
  if (seal_for.passphrase != nullptr && seal_for.passphrase->reveal().size() < kMinPassphraseBytes)
    return fail(Errc::usage, "a passphrase for what leaves the vault has at least 12 bytes");
  if (seal_for.passphrase != nullptr) return {};
  CALLVAULT_TRY_ASSIGN(const auto theirs, parse_recipient(seal_for.recipient));
  CALLVAULT_TRY_ASSIGN(const auto probe, crypto::Key::random());
  CALLVAULT_TRY(crypto::shared_secret(probe, theirs));
  return {};
}

AgeWriter::AgeWriter(ByteSink& out, crypto::Key payload_key)
    : out_(&out), payload_key_(std::move(payload_key)), sealed_(kAgeChunkBytes + crypto::kTagBytes) {
  plain_.reserve(kAgeChunkBytes);
}

Result<AgeWriter> AgeWriter::open(ByteSink& out, const SealFor& seal_for, unsigned scrypt_log_n) {
  CALLVAULT_TRY(check_seal_for(seal_for));
  CALLVAULT_TRY_ASSIGN(auto file_key, crypto::SecretBuffer::make(kFileKeyBytes));
  crypto::fill_random(file_key.reveal_mutable());
  CALLVAULT_TRY_ASSIGN(const std::string stanza, seal_for.passphrase != nullptr
                                                     ? scrypt_stanza(*seal_for.passphrase, scrypt_log_n, file_key)
                                                     : x25519_stanza(seal_for.recipient, file_key));
  std::string header = std::string(kVersionLine) + stanza + "---";
  CALLVAULT_TRY_ASSIGN(const auto mac_key, crypto::hkdf_sha256(file_key.reveal(), {}, "header"));
  header += " " + age_base64(crypto::hmac_sha256(mac_key, base::as_bytes(header))) + "\n";
  std::array<std::byte, kNonceBytes> nonce{};
  crypto::fill_random(nonce);
  CALLVAULT_TRY_ASSIGN(auto payload_key, crypto::hkdf_sha256(file_key.reveal(), nonce, "payload"));
  AgeWriter writer(out, std::move(payload_key));
  CALLVAULT_TRY(writer.put(base::as_bytes(header)));
  CALLVAULT_TRY(writer.put(nonce));
  return writer;
}

Result<void> AgeWriter::write(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    if (plain_.size() == kAgeChunkBytes) CALLVAULT_TRY(seal(false));  // more follows, so it is not the last
    const std::size_t n = std::min(bytes.size(), kAgeChunkBytes - plain_.size());
    plain_.insert(plain_.end(), bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(n));
    bytes = bytes.subspan(n);
  }
  return {};
}

Result<void> AgeWriter::finish() { return seal(true); }

// Chunk n is sealed as a track's chunk is: the same construction (STREAM with ChaCha20-Poly1305).
Result<void> AgeWriter::seal(bool last) {
  const auto out = base::MutableBytes(sealed_).first(plain_.size() + crypto::kTagBytes);
  crypto::seal_chunk(payload_key_, chunk_++, last, plain_, out);
  crypto::wipe(plain_);
  plain_.clear();
  return put(out);
}

Result<void> AgeWriter::put(base::ByteView bytes) {
  bytes_ += bytes.size();
  return out_->write(bytes);
}

}  // namespace callvault::disclosure
