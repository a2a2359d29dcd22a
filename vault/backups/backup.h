// Makes a backup: the many sealed files first and without any lock, then in one moment the rest of them and the state
// that they belong to.
#pragma once

#include "backups/inventory.h"
#include "backups/target.h"
#include "callvault/backup.h"

namespace callvault::backups {

class Backup {
 public:
  Backup(const base::Layout& from, Target& target, const BackupOptions& options)
      : from_(from), target_(target), options_(options) {}

  // Copies what the inventory names. No lock is needed: sealed files never change, and what vanishes meanwhile is left
  // to `finish`. Errors: of the backup's folder.
  Result<void> copy_sealed(Inventory inventory);
  // REQUIRES: the state lock is held, so that all of this is of one instant. Errors: of either.
  Result<void> finish(context::Context& context);
  // Removes what the state of `finish` does not know any more, unless a part of it could not be read.
  Result<void> prune();

  BackupReport& report() { return report_; }

 private:
  Result<void> bring(SealedFile& file);
  Result<bool> is_there(const os::Path& source, const os::Path& copy) const;
  Result<void> copy(const os::Path& source, const os::Path& copy, bool& done);
  Result<void> judge(context::Context& context, SealedFile& file);
  Result<void> copy_incoming();
  Result<void> copy_key_files(const keys::Directory& directory, Manifest& manifest);
  Result<void> copy_small(const context::Context& context);
  using Wanted = std::function<bool(const std::string& name)>;
  Result<void> prune_folder(const os::Path& folder, const Wanted& wanted);

  const base::Layout& from_;
  Target& target_;
  const BackupOptions& options_;
  BackupReport report_;
  Inventory inventory_;
  std::set<std::string> incoming_;
};

}  // namespace callvault::backups
