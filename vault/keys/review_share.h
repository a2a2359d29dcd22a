// A share of the review keys, as a text that can be printed and typed in again. docs/format/keys.md.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "crypto/box.h"
#include "crypto/shares.h"

namespace callvault::keys {

inline constexpr std::size_t kMaxShareBytes = 64 * 1024;

// Of one review key of the ring.
struct ReviewPart {
  std::uint32_t key_number = 0;
  crypto::PublicKey public_key{};  // tells whether the joined key is the one that was split
  crypto::Key part;
};

struct ReviewShare {
  std::string vault;                 // the journal's origin
  std::array<std::byte, 8> split{};  // drawn at each split: shares of two splits do not go together
  std::uint8_t number = 0;           // of the share
  unsigned of = 0, need = 0;
  std::vector<ReviewPart> parts;  // ascending, at least one
};

Result<crypto::SecretBuffer> encode_share(const ReviewShare& share);
// Upper case, and blanks around lines and between the bytes of a secret, are forgiven: people type. Errors: corrupt,
// naming what is wrong; newer_version.
Result<ReviewShare> decode_share(base::ByteView text);

}  // namespace callvault::keys
