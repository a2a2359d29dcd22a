// Signed checkpoints in C2SP tlog-checkpoint form: a signed note (https://c2sp.org/signed-note) whose text is origin,
// tree size and root. Any C2SP tool can verify them.
#pragma once

#include <string>
#include <string_view>

#include "crypto/sign.h"
#include "journal/merkle.h"

namespace callvault::journal {

inline constexpr std::size_t kMaxOriginBytes = 255;
inline constexpr std::size_t kMaxCheckpointBytes = 65536;

struct Checkpoint {
  std::string origin;
  Head head{};

  friend bool operator==(const Checkpoint&, const Checkpoint&) = default;
};

// Printable ASCII without space or plus, 1 to 255 characters: a schema-less URL such as "example.com/vault-7".
bool is_origin(std::string_view origin);

// REQUIRES: is_origin(origin).
std::string make_checkpoint(std::string_view origin, const Head& head, const crypto::Signer& signer);
std::string make_checkpoint(std::string_view origin, const Head& head, const crypto::Key& signing_seed);

// Errc::corrupt unless it is well-formed and carries the key's signature under its origin as key name. Signatures of
// others (witnesses) and extension lines are allowed and ignored.
Result<Checkpoint> parse_checkpoint(std::string_view text, const crypto::SigningPublicKey& key);

// The public key in signed-note verifier form: "<name>+<hex key id>+<base64(0x01 || key)>".
struct VerifierKey {
  std::string name{};
  crypto::SigningPublicKey key{};
};
std::string encode_verifier_key(std::string_view origin, const crypto::SigningPublicKey& key);
Result<VerifierKey> parse_verifier_key(std::string_view text);

}  // namespace callvault::journal
