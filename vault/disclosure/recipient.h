// Age recipients: X25519 public keys in Bech32 (BIP 173) with the prefix "age".
#pragma once

#include <string>
#include <string_view>

#include "crypto/box.h"

namespace callvault::disclosure {

// Exactly what age-keygen prints: 62 lower-case characters. Errors: usage; never says more of the text than its kind.
Result<crypto::PublicKey> parse_recipient(std::string_view text);
std::string encode_recipient(const crypto::PublicKey& key);

}  // namespace callvault::disclosure
