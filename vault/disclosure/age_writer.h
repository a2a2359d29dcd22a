// Writes age files (https://age-encryption.org/v1): one recipient, a stream of sealed chunks, bounded memory. Any age
// tool opens them. Only the writer: this vault never opens what left it.
#pragma once

#include <cstdint>

#include "callvault/audio.h"
#include "callvault/disclosure.h"
#include "crypto/secret.h"

namespace callvault::disclosure {

inline constexpr std::size_t kAgeChunkBytes = std::size_t{64} << 10;
inline constexpr unsigned kScryptLogN = 18;  // what the age tool uses
inline constexpr std::size_t kMinPassphraseBytes = 12;

// Errc::usage unless exactly one of the two is given, and it is sound. Asked before anything is opened.
Result<void> check_seal_for(const SealFor& seal_for);

class AgeWriter final : public ByteSink {
 public:
  // Writes the header. REQUIRES: `out` outlives it. Errors: as check_seal_for; those of the sink.
  static Result<AgeWriter> open(ByteSink& out, const SealFor& seal_for, unsigned scrypt_log_n = kScryptLogN);

  Result<void> write(std::span<const std::byte> bytes) override;
  // Once: the last chunk, without which no age tool takes the file for whole.
  Result<void> finish();
  std::uint64_t bytes() const { return bytes_; }  // written to `out`

 private:
  AgeWriter(ByteSink& out, crypto::Key payload_key);
  Result<void> put(base::ByteView bytes);
  Result<void> seal(bool last);

  ByteSink* out_;
  crypto::Key payload_key_;
  base::Bytes plain_;  // at most one chunk
  base::Bytes sealed_;
  std::uint64_t chunk_ = 0;
  std::uint64_t bytes_ = 0;
};

}  // namespace callvault::disclosure
