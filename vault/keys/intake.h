// Intake keys: what a recorder seals its secrets to. keys/intake/<number> holds the public key and the pepper; the
// private key is in the directory alone. The newest number is the current one.
#pragma once

#include <cstdint>
#include <vector>

#include "base/layout.h"
#include "crypto/box.h"
#include "os/file.h"

namespace callvault::keys {

struct IntakePublic {
  std::uint32_t id = 0;
  crypto::PublicKey public_key{};
  crypto::Key pepper;
};

// magic "CVINTAKE", u16 version, u16 zero, u32 id, public key, pepper, BLAKE2b-256 of all before: a recorder must not
// seal a call to a key that one flipped bit has turned into nobody's.
Result<base::Bytes> encode_intake(const IntakePublic& key);
Result<IntakePublic> decode_intake(base::ByteView bytes);

// Ascending. Files that are not named by a number as it is written are passed over.
Result<std::vector<std::uint32_t>> list_intake(const base::Layout& layout);

// A recorder's shared hold on the current intake key, from before it reads the key until its header is durable: a
// retirement waits for it (at most 5 s).
struct IntakeLease {
  IntakePublic key;
  os::File lock;
};
// Takes the shared lock, then looks again whether the key is still the newest. Errors: corrupt, busy, refused (no
// permission).
Result<IntakeLease> acquire_intake(const base::Layout& layout);

}  // namespace callvault::keys
