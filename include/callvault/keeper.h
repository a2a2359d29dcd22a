// The keeper: the one small store that really forgets.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "callvault/result.h"

namespace callvault {

class Vault;

struct KeeperStatus {
  std::string kind, path, medium;
  bool sound = false;
  std::string reason;                  // when not sound: why
  std::string claim;                   // what a certificate says of a wipe there
  std::vector<std::uint64_t> epochs;   // of the roots it holds: one, two in the middle of a rotation
  bool unfinished = false;             // a wipe was cut short; the next change finishes it
  std::optional<std::uint64_t> vault;  // the key state's epoch, when a root here opens it
  std::string problem;                 // else: why it does not
};
// Looks, changes nothing. Errors: io, busy; what is wrong with the keeper stands in the answer.
Result<KeeperStatus> keeper_status(Vault& vault);

struct KeeperRotation {
  std::uint64_t epoch = 0;  // the new one
  std::uint64_t intake_retired = 0;
  double irrecoverable_ms = 0;
};
// A fresh root key, and the old one wiped, though nothing is to be shredded: after somebody may have read the keeper or
// the key state. Backups made before open nothing by themselves any more. Journalled. Errors: those of a purge.
Result<KeeperRotation> keeper_rotate(Vault& vault);

}  // namespace callvault
