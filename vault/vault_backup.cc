// Backups, and the way back from one.
#include "callvault/backup.h"

#include "backups/backup.h"
#include "backups/restore.h"
#include "crypto/random.h"
#include "keys/open_keeper.h"
#include "os/host.h"
#include "session.h"

namespace callvault {
namespace {

Result<os::Path> whole_path(const os::Path& path) {
  std::error_code error;
  os::Path out = std::filesystem::absolute(path, error);
  if (error || path.empty()) return fail(Errc::usage, "not a usable path: " + path.string());
  out = out.lexically_normal();
  return out.has_filename() ? out : out.parent_path();
}

// The vault's own vault.toml, else the backup's.
Result<keys::Config> config_of(const base::Layout& into, const base::Layout& from) {
  auto mine = keys::read_config(into.config());
  if (mine || (mine.error().code != Errc::no_vault && mine.error().code != Errc::corrupt)) return mine;
  auto theirs = keys::read_config(from.config());
  if (!theirs && theirs.error().code == Errc::no_vault)
    return fail(Errc::not_found, "no backup in " + from.root.string() + ": it has no vault.toml");
  return theirs;
}

}  // namespace

Result<BackupReport> backup(Vault& vault, const BackupOptions& options) {
  auto& impl = vault.impl();
  CALLVAULT_TRY_ASSIGN(const os::Path folder, whole_path(options.dir));
  CALLVAULT_TRY(settle_if_free(impl));
  CALLVAULT_TRY_ASSIGN(auto target, backups::Target::open(folder, impl.layout.root, impl.keeper_folder,
                                                          impl.journal->origin(), impl.patience));
  CALLVAULT_TRY(impl.journal->require_prefix(target.layout().journal()));
  backups::Backup work(impl.layout, target, options);
  // The many sealed files need no lock; what changes meanwhile, the second round takes.
  backups::Inventory first;
  {
    CALLVAULT_TRY_ASSIGN(const auto session, Session::begin(impl, Access::look_up, ""));
    first = backups::take_inventory(session->state());
  }
  CALLVAULT_TRY(work.copy_sealed(std::move(first)));
  {
    CALLVAULT_TRY_ASSIGN(const auto session, Session::begin(impl, Access::look_up, ""));
    CALLVAULT_TRY(work.finish(session->context()));
    CALLVAULT_TRY(session->context().log.append(
        "backed_up", {{"epoch", std::to_string(work.report().epoch)}, {"files", std::to_string(work.report().files)}}));
  }
  CALLVAULT_TRY(work.prune());
  return work.report();
}

Result<RestoreReport> restore(const RestoreOptions& options) {
  CALLVAULT_TRY(crypto::ready());
  CALLVAULT_TRY_ASSIGN(os::Path from_root, whole_path(options.from));
  CALLVAULT_TRY_ASSIGN(os::Path into_root, whole_path(options.into));
  const base::Layout from{std::move(from_root)}, into{std::move(into_root)};
  if (os::is_inside(into.root, from.root) || os::is_inside(from.root, into.root))
    return fail(Errc::refused, "a backup is not restored into itself: " + into.root.string());
  CALLVAULT_TRY_ASSIGN(const auto config, config_of(into, from));
  CALLVAULT_TRY(keys::check_location(config.location));
  os::Path keeper_folder = into.root;
  keeper_folder += ".keeper";
  if (config.keeper) keeper_folder = *config.keeper;
  if (options.keeper) keeper_folder = *options.keeper;
  auto keeper = keys::open_keeper(keeper_folder);
  if (!keeper && keeper.error().code == Errc::not_found)
    return fail(Errc::corrupt, "no keeper in " + keeper_folder.string() + ": without it nothing can be opened again");
  if (!keeper) return std::move(keeper).error();

  const bool fresh = !os::exists(into.root);
  backups::Restore work(from, into, **keeper, options);
  CALLVAULT_TRY(work.plan());
  if (options.check) {
    CALLVAULT_TRY(work.run());
    return work.report();
  }
  CALLVAULT_TRY(os::make_folder(into.root));
  if (fresh) CALLVAULT_TRY(os::sync_folder(into.root.parent_path()));
  CALLVAULT_TRY(os::make_folder(into.keys()));
  {
    CALLVAULT_TRY_ASSIGN(const auto lock,
                         os::Lock::acquire(into.state_lock(), os::LockMode::exclusive, OpenOptions().lock_timeout));
    backups::Restore locked(from, into, **keeper, options);  // somebody may have been here since the look without lock
    CALLVAULT_TRY(locked.plan());
    CALLVAULT_TRY(locked.run());
    work.report() = std::move(locked.report());
  }
  RestoreReport out = std::move(work.report());
  CALLVAULT_TRY_ASSIGN(Vault vault, Vault::open({.dir = into.root, .keeper = keeper_folder, .clock = options.clock}));
  CALLVAULT_TRY_ASSIGN(const auto recovered, vault.recover());
  out.problems.insert(out.problems.end(), recovered.problems.begin(), recovered.problems.end());
  CALLVAULT_TRY_ASSIGN(const auto indexed, vault.reindex());
  out.recordings = indexed.recordings;
  out.problems.insert(out.problems.end(), indexed.problems.begin(), indexed.problems.end());
  CALLVAULT_TRY_ASSIGN(const auto session, Session::begin(vault.impl(), Access::look_up, ""));
  CALLVAULT_TRY(session->context().log.append("restored", {{"epoch", std::to_string(out.epoch)},
                                                           {"files", std::to_string(out.restored_files)},
                                                           {"keys", out.keys_from_backup ? "backup" : "own"},
                                                           {"journal", out.journal_from_backup ? "backup" : "own"}}));
  return out;
}

}  // namespace callvault
