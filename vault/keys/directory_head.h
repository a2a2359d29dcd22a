// What stands before the sealed part of keys/directory: its epoch and, in a vault with mirrors, its keepers. With
// several keepers the directory is sealed under a key D, which each keeper's root wraps. docs/format/keys.md.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "crypto/hash.h"
#include "crypto/secret.h"
#include "keys/keeper.h"

namespace callvault::keys {

inline constexpr std::size_t kMaxKeepers = 4;

struct KeeperEntry {
  std::string path;             // its folder, absolute or from the vault's folder
  std::uint64_t epoch = 0;      // of its newest root that a directory was sealed to
  std::uint64_t oldest = 0;     // it may still hold roots from this epoch on
  std::uint64_t waiting = 0;    // shreds that are not final before `oldest` is the present epoch
  crypto::Digest commitment{};  // keeper_commitment of that root
  base::Bytes wrap;             // D under that root; none: the keeper is behind, and opens nothing of the present

  bool is_current() const { return !wrap.empty(); }
};

struct DirectoryHead {
  std::uint16_t version = 0;
  std::uint64_t epoch = 0;
  std::vector<KeeperEntry> keepers;  // none: the directory is sealed under the root of the only one
};

// Errors: refused when there are too many keepers, or a path is too long.
Result<base::Bytes> encode_head(std::uint64_t epoch, const std::vector<KeeperEntry>& keepers);

struct SplitDirectory {
  DirectoryHead head;
  base::ByteView clear, sealed;
};
// Errors: corrupt, newer_version.
Result<SplitDirectory> split_directory(base::ByteView file);

// Errors: corrupt when `root` is not the one of the entry's commitment, or the wrap is damaged.
Result<void> wrap_directory_key(KeeperEntry& entry, std::uint64_t epoch, const KeeperSlot& slot,
                                const crypto::Key& directory_key);
Result<crypto::Key> unwrap_directory_key(const KeeperEntry& entry, const KeeperSlot& slot);

}  // namespace callvault::keys
