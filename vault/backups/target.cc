#include "backups/target.h"

#include <algorithm>

#include "os/copy.h"
#include "os/host.h"

namespace callvault::backups {
namespace {

constexpr const char* kBackupLock = "lock";
constexpr const char* kUnfinishedManifest = "backup.json.new-";

Result<void> check_place(const os::Path& folder, const os::Path& vault, const os::Path& keeper_folder) {
  if (os::is_inside(folder, vault) || os::is_inside(vault, folder))
    return fail(Errc::refused, "the backup would lie inside the vault, or around it: " + folder.string());
  if (os::is_inside(folder, keeper_folder) || os::is_inside(keeper_folder, folder))
    return fail(Errc::refused,
                "the keeper would lie in the backup, or the backup in the keeper's folder: " + folder.string());
  return {};
}

// A copy of a keeper beside the backup would undo every shred since.
Result<void> check_no_keeper(const os::Path& folder, const std::vector<std::string>& names) {
  for (const auto& name : names) {
    if (name != "root" && !os::exists(folder / name / "root")) continue;
    return fail(Errc::refused, "a keeper lies in " + folder.string() + " (" + name +
                                   "): a copy of it would bring back what is shredded later");
  }
  return {};
}

}  // namespace

Result<Target> Target::open(const os::Path& folder, const os::Path& vault, const os::Path& keeper_folder,
                            const std::string& origin, std::chrono::milliseconds patience) {
  CALLVAULT_TRY(check_place(folder, vault, keeper_folder));
  CALLVAULT_TRY(os::make_folder(folder));
  CALLVAULT_TRY_ASSIGN(auto names, os::list_folder(folder));
  std::erase(names, kBackupLock);
  CALLVAULT_TRY(check_no_keeper(folder, names));
  auto manifest = read_manifest(folder);
  const bool missing = !manifest && manifest.error().code == Errc::not_found;
  if (!manifest && !missing) return std::move(manifest).error();
  // What an attempt left that could not even write its first manifest.
  std::erase_if(names, [](const std::string& name) { return name.starts_with(kUnfinishedManifest); });
  if (missing && !names.empty())
    return fail(Errc::usage,
                folder.string() + " is not empty, and holds no backup: a backup wants a folder of its own");
  if (manifest && manifest->origin != origin)
    return fail(Errc::refused, "the backup in " + folder.string() + " is of another vault");
  CALLVAULT_TRY_ASSIGN(auto lock, os::Lock::acquire(folder / kBackupLock, os::LockMode::exclusive, patience));
  Target out(std::move(lock), {folder}, missing ? Manifest() : std::move(*manifest));
  if (missing) {
    // Before anything else: from here on an interrupted first backup is known for what it is.
    out.manifest_.origin = origin;
    const std::string text = encode_manifest(out.manifest_);
    CALLVAULT_TRY(os::replace_file(manifest_path(folder), base::as_bytes(text)));
  }
  const base::Layout& layout = out.layout();
  for (const auto& one : {layout.keys(), layout.buckets(), layout.registers(), layout.intake(), layout.people(),
                          layout.incoming(), layout.recordings(), layout.journal()})
    CALLVAULT_TRY(out.make_folder(one));
  return out;
}

Result<void> Target::make_folder(const os::Path& folder) {
  if (os::exists(folder)) return {};
  touch(folder.parent_path());
  return os::make_folder(folder);
}

Result<void> Target::sync() {
  for (const auto& folder : touched_) CALLVAULT_TRY(os::sync_folder(folder));
  touched_.clear();
  return {};
}

Result<void> Target::put(const os::Path& path, base::ByteView data) {
  const auto there = os::read_file(path, data.size());
  if (there && std::equal(there->begin(), there->end(), data.begin(), data.end())) return {};
  CALLVAULT_TRY(os::place_file(path, data));
  touch(path.parent_path());
  return {};
}

// The directory is the commit: what it names is all there. The manifest follows.
Result<void> Target::commit(const base::Bytes& directory, Manifest manifest) {
  CALLVAULT_TRY(sync());
  CALLVAULT_TRY(os::replace_file(layout_.directory(), directory));
  manifest_ = std::move(manifest);
  const std::string text = encode_manifest(manifest_);
  return os::replace_file(manifest_path(layout_.root), base::as_bytes(text));
}

}  // namespace callvault::backups
