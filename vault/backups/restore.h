// The way back. Nothing is copied because it lies in the backup, only because the key state that the present keeper
// opens knows it: so what was shredded stays away, and newer key state is never replaced by an older one.
#pragma once

#include <optional>
#include <set>

#include "backups/inventory.h"
#include "backups/manifest.h"
#include "callvault/backup.h"
#include "journal/journal.h"

namespace callvault::backups {

class Restore {
 public:
  Restore(base::Layout from, base::Layout into, keys::Keeper& keeper, const RestoreOptions& options)
      : from_(std::move(from)), into_(std::move(into)), keeper_(keeper), options_(options) {}

  // Decides what is used of either, and changes nothing. Errors: corrupt, newer_version, io.
  Result<void> plan();
  // Does it; again after an interruption. REQUIRES: the vault's state lock is held exclusively, unless it is a check.
  Result<void> run();

  RestoreReport& report() { return report_; }

 private:
  Result<void> choose_keys();
  Result<void> check_not_older(std::uint64_t epoch) const;
  Result<void> choose_journal();
  Result<bool> reaches(const os::Path& folder, std::string& why) const;
  Result<void> bring_key_files();
  Result<void> bring_people();
  Result<void> bring_journal();
  Result<void> bring_recordings();
  Result<void> bring_bucket(const keys::Bucket& bucket, const keys::Node& node);
  Result<void> bring_sealed(const SealedFile& file, const keys::NodeRow& row, const keys::TrackSecret& track);
  Result<void> bring_incoming();
  Result<void> bring_directory();
  Result<void> bring_config();
  Result<keys::Node> open_node(const keys::Bucket& bucket) const;
  Result<void> place(const os::Path& path, base::ByteView data);
  Result<void> sync();
  bool changes() const { return !options_.check; }

  base::Layout from_, into_;
  keys::Keeper& keeper_;
  const RestoreOptions& options_;
  Manifest manifest_;
  std::optional<keys::KeyState> state_;
  std::set<RecordingId> known_;
  std::set<os::Path> touched_;
  RestoreReport report_;
  std::uint64_t files_ = 0;
};

}  // namespace callvault::backups
