// The folder a backup is made in: whose it is, who may write it, and what it holds.
#pragma once

#include <optional>
#include <set>

#include "backups/manifest.h"
#include "os/lock.h"

namespace callvault::backups {

class Target {
 public:
  // Makes the folder when it is missing, and takes its lock. Errors: refused (inside the vault or around it, holds a
  // keeper, of another vault), usage (not empty, and no backup), corrupt, busy.
  static Result<Target> open(const os::Path& folder, const os::Path& vault, const os::Path& keeper_folder,
                             const std::string& origin, std::chrono::milliseconds patience);

  const base::Layout& layout() const { return layout_; }
  const Manifest& manifest() const { return manifest_; }

  // Changes of names in these folders become durable with `sync`.
  void touch(const os::Path& folder) { touched_.insert(folder); }
  void forget(const os::Path& folder) { touched_.erase(folder); }  // it is gone
  Result<void> make_folder(const os::Path& folder);
  Result<void> sync();
  // Writes it unless it is there with this content.
  Result<void> put(const os::Path& path, base::ByteView data);
  Result<void> commit(const base::Bytes& directory, Manifest manifest);

 private:
  Target(os::Lock lock, base::Layout layout, Manifest manifest)
      : lock_(std::move(lock)), layout_(std::move(layout)), manifest_(std::move(manifest)) {}

  os::Lock lock_;
  base::Layout layout_;
  Manifest manifest_;
  std::set<os::Path> touched_;
};

}  // namespace callvault::backups
