// Backups: a copy of the vault's folder without its keeper, at one instant, and the way back from it. A backup of any
// age may lie anywhere: without the present root key it opens nothing, and what was shredded since stays shredded.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "callvault/options.h"

namespace callvault {

class Vault;

struct BackupOptions {
  std::filesystem::path dir;
  bool verify = false;  // compare what is there already byte by byte, not by name and size
  Progress progress{};
};

struct BackupReport {
  std::uint64_t epoch = 0, journal_size = 0;
  std::uint64_t files = 0;  // sealed files in it now
  std::uint64_t copied_files = 0, copied_bytes = 0, removed_files = 0;
  std::uint64_t in_progress = 0, unsettled = 0;  // calls that go on are not in it; finished ones are
  std::vector<std::string> problems;             // damage in the vault; the backup keeps what it has of it
};

// While recorders and readers go on. It may be cut off at any time: what was there before stays usable, and the next
// one continues. Whatever the vault shredded is removed from it. Journalled.
// Errors: refused (the folder is the vault's, the keeper's, another vault's, or holds a keeper), usage (not empty, and
// no backup), corrupt (damaged key state; or the backup knows more than this vault: it was rolled back), busy, io,
// no_space.
Result<BackupReport> backup(Vault& vault, const BackupOptions& options);

struct RestoreOptions {
  std::filesystem::path from;                   // a backup
  std::filesystem::path into;                   // the vault's folder: damaged, empty or missing
  std::optional<std::filesystem::path> keeper;  // the present one; default: as the vault says, else INTO.keeper
  bool check = false;                           // change nothing, tell what would be done
  bool verify = false;                          // read every sealed byte of what the vault still has
  const Clock* clock = nullptr;
  Progress progress{};
};

struct RestoreReport {
  std::string taken_at;           // the backup's instant, UTC
  bool keys_from_backup = false;  // else the vault's own were as new, or newer
  bool journal_from_backup = false;
  std::uint64_t epoch = 0;
  std::uint64_t recordings = 0;  // that the key state knows
  std::uint64_t kept_files = 0;  // sealed files that were sound where they are
  std::uint64_t restored_files = 0, restored_bytes = 0;
  std::uint64_t key_files = 0;        // of keys/ and people/, brought back
  std::vector<std::string> problems;  // what neither the vault nor the backup has
};

// Brings back what the present keeper opens: the newer key state of the two, the journal it belongs to, and each sealed
// file that is missing or damaged. A shredded recording never comes back. Then `recover` and `reindex` are done. May be
// cut off and done again. Errors: not_found (no backup there), corrupt (neither key state opens with this keeper, or no
// journal reaches it; nothing was changed), refused, busy, io, no_space.
Result<RestoreReport> restore(const RestoreOptions& options);

}  // namespace callvault
