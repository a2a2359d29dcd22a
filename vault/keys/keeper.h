// The keeper: the one small store that really forgets. Everything else the vault writes may be kept for ever by an
// adversary; when the keeper has wiped a root key, whatever only that key reaches is gone. Bytes:
// docs/format/keeper.md.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/hash.h"
#include "crypto/secret.h"

namespace callvault::keys {

// What a certificate may say of a wipe, on any medium.
inline constexpr std::string_view kLogicallyErased = "logically erased";

struct KeeperSlot {
  std::uint64_t epoch = 0;
  crypto::Digest commitment{};  // keeper_commitment(root)
  crypto::Key root;
};

struct KeeperDescription {
  std::string kind;    // "file"
  std::string path;    // where it lives
  std::string medium;  // "rotational", "solid state", "unknown"
  bool sound = false;  // the place overwrites what it is told to overwrite, as far as can be seen
  std::string reason;  // when not sound: why, and what to do
  std::string claim;   // what a certificate may claim of a wipe here
};

// Binds an epoch to a root without telling anything about it: root.derive("callvault v1 keeper commitment").
Result<crypto::Digest> keeper_commitment(const crypto::Key& root);

// REQUIRES: the caller holds the vault's lock: exclusively for `stage` and `wipe_all_but`, shared for the rest.
// After any error of `stage` or `wipe_all_but` the slot of the current epoch is as it was, and the call may be
// repeated: it starts again with fresh randomness, never with a second sync of what failed.
class Keeper {
 public:
  virtual ~Keeper() = default;

  // The roots it holds: one normally, two in the middle of a rotation, in no particular order.
  // Errors: corrupt when there is none that is whole; io. What is damaged beside it is `unfinished`.
  virtual Result<std::vector<KeeperSlot>> read() = 0;

  // Draws a fresh root for `epoch`, durable and read back, in a slot that is not the one of `current_epoch` (none for
  // the first root of a keeper). What that slot held is wiped first.
  // Errors: usage unless epoch > current_epoch; refused when the place is not sound any more or has moved (see
  // docs/format/keeper.md), or when current_epoch is none and a root is there; corrupt when the slot of
  // current_epoch is missing or damaged; io. Nothing that `read` gave for current_epoch is ever touched.
  virtual Result<KeeperSlot> stage(std::uint64_t epoch, std::optional<std::uint64_t> current_epoch) = 0;

  // The moment of forgetting: every slot not of that epoch is overwritten, durable, read back and compared. Costs one
  // read when nothing is to be done. Errors: corrupt when there is no sound slot of `epoch` (nothing is wiped); io.
  virtual Result<void> wipe_all_but(std::uint64_t epoch) = 0;

  // For a keeper that is given up: every slot is overwritten, durable, read back. Errors: io.
  virtual Result<void> wipe_all() = 0;

  // True when a wipe or a stage was cut short: a slot shows no root and yet may hold parts of one. `read` cannot show
  // that: recovery must ask, or simply call wipe_all_but(current epoch) whatever `read` showed.
  virtual Result<bool> unfinished() = 0;

  virtual KeeperDescription describe() const = 0;
};

}  // namespace callvault::keys
