// Every keeper of one vault: the first, which the configuration names, and its mirrors, which the directory names. Each
// holds roots of its own; a mirror that is not there at a rotation is behind from then on, and opens nothing of the
// present.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/layout.h"
#include "keys/directory.h"
#include "keys/keeper.h"
#include "os/file.h"

namespace callvault::keys {

enum class Standing : std::uint8_t {
  unasked,
  current,  // it opens the directory
  behind,   // it holds the root that was its last; the vault has rotated without it
  missing,  // it cannot be reached, or is damaged
  strange,  // it holds none of the roots that it should: an old copy, or another vault's
};

struct KeeperView {
  std::string path;
  Standing standing = Standing::unasked;
  std::string problem;  // unless it is current: what is wrong
  KeeperEntry entry;
  std::optional<KeeperDescription> told;
  std::vector<std::uint64_t> epochs;
  bool unfinished = false;
};

class Keepers {
 public:
  enum class Reach : std::uint8_t {
    enough,  // only until one opens the directory
    all,
  };
  // Finds the key of the directory. A mirror is asked only when the first keeper is lost or behind; one that is behind
  // opens nothing, nor does a mirror while the first holds other roots than it should. Errors: corrupt when no keeper
  // opens it, or when one has forgotten that epoch already (an old directory was brought back); newer_version, refused.
  static Result<Keepers> open(const base::Layout& layout, Keeper& first, const DirectoryHead& head, Reach reach);
  // Of a vault that is being made.
  Keepers(const base::Layout& layout, Keeper& first, crypto::Key root);

  const crypto::Key& key() const { return *key_; }
  Keeper& first() const { return *first_; }
  // Empty, or why the first keeper did not open the vault and which mirror did.
  const std::string& instead() const { return instead_; }

  // Wipes every root but those of the directory's epoch, in each keeper that has one of them. Those of the keeper that
  // opened the vault must go; another that fails stays noted as holding older ones.
  Result<void> wipe_old(Directory& directory);
  // Fresh roots in every keeper that is current. The keeper that opened the vault must take one; another is left
  // behind.
  Result<void> stage(const Directory& directory);
  // Puts the staged roots into the directory, with the shreds that wait for every wipe; `committed` when it is durable.
  // Errors: unexpected without `stage`.
  Result<const crypto::Key*> take_staged(Directory& directory, std::uint64_t shreds);
  void committed();
  bool is_staged() const { return next_.has_value(); }
  // From disk: the keepers that are current hold one root, of that epoch, and nothing half wiped.
  Result<bool> are_alone(const Directory& directory);

  // Gives a root of the present epoch to keepers that are behind and have come back. True when the directory is to be
  // committed; wipe_old comes after that.
  Result<bool> bring_in(Directory& directory);
  // Takes a keeper without a root into the vault. The first is then named by `first_path`. Commit after it.
  Result<void> add(Directory& directory, std::unique_ptr<Keeper> keeper, const os::Path& path,
                   const os::Path& first_path);
  // Wipes it, or with `destroyed` only forgets that there was one. Commit after it. Errors: not_found; refused when it
  // opened the vault, or cannot be wiped.
  Result<void> remove(Directory& directory, const os::Path& path, bool destroyed);

  // Asks all of them now.
  std::vector<KeeperView> view(const Directory& directory);

 private:
  struct One {
    Keeper* keeper = nullptr;
    std::unique_ptr<Keeper> owned;
    Standing standing = Standing::unasked;
    std::string problem;
    std::optional<KeeperSlot> staged;
  };

  Keepers(const base::Layout& layout, Keeper& first);
  Result<void> find_alone(const DirectoryHead& head);
  Result<void> find_first(const DirectoryHead& head);
  Result<void> ask(std::size_t index, const DirectoryHead& head);
  Result<void> take(std::size_t index, const std::vector<KeeperSlot>& slots, const KeeperEntry& entry);
  os::Path folder_of(const KeeperEntry& entry) const;
  std::string stored_path(const os::Path& folder) const;
  Error nobody_opens(const DirectoryHead& head) const;

  base::Layout layout_;
  Keeper* first_;
  std::optional<crypto::Key> key_;
  std::optional<std::size_t> opener_;
  std::vector<One> ones_;  // one for each entry of the directory; none without mirrors
  std::string instead_, first_problem_;
  std::optional<crypto::Key> next_;
  std::optional<std::uint64_t> next_epoch_;
};

// Shreds that are not final, since some keeper may still hold an older root.
std::uint64_t waiting_shreds(const Directory& directory);
// Whether every keeper has forgotten what was before that epoch.
bool forgotten_before(const Directory& directory, std::uint64_t epoch);

}  // namespace callvault::keys
