// backup.json: what a backup says of itself. Nothing of it is believed where the key state or the journal can tell.
// docs/format/backup.md.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "base/layout.h"
#include "callvault/clock.h"
#include "crypto/hash.h"
#include "os/file.h"

namespace callvault::backups {

inline constexpr std::size_t kMaxManifestBytes = std::size_t{64} << 20;

struct Manifest {
  std::string origin;     // of the journal: whose backup it is
  bool complete = false;  // false until the first run has ended
  Time taken_at{};
  std::uint64_t epoch = 0, journal_size = 0;
  crypto::Digest directory{};  // BLAKE2b-256 of keys/directory
  std::uint64_t files = 0;     // sealed ones
  std::string recorder_group;  // Unix group that records, or empty
  // Immutable files of keys/ that are in it, with their BLAKE2b-256: "buckets/7.3", "registers/opt-out.1".
  std::map<std::string, crypto::Digest> key_files;
};

inline os::Path manifest_path(const os::Path& folder) { return folder / "backup.json"; }

std::string encode_manifest(const Manifest& manifest);
// Errors: corrupt, newer_version.
Result<Manifest> decode_manifest(std::string_view text);
// Errors: not_found when there is none.
Result<Manifest> read_manifest(const os::Path& folder);

}  // namespace callvault::backups
