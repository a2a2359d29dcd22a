// The key state of a vault in use: the root from the keeper, the directory under it, nodes under the directory.
// Design and order of syncs: docs/format/keys.md; the promise: docs/THREAT_MODEL.md.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/layout.h"
#include "keys/directory.h"
#include "keys/intake.h"
#include "keys/keeper.h"
#include "keys/keepers.h"
#include "keys/node_file.h"
#include "os/spare.h"

namespace callvault::keys {

class KeyState {
 public:
  // Makes keys/ of a new vault: first root, empty directory with `first` filled in, first intake key.
  static Result<void> create(const base::Layout& layout, Keeper& keeper, Directory first, Time now);

  // The slot whose root opens the directory is the root. Errors: corrupt when none does (nothing is wiped then);
  // newer_version. REQUIRES: the caller holds the state lock, for `change` exclusively. `change` also wipes the other
  // slot of every keeper that is there, removes node and intake files that the directory does not know, and publishes
  // the newest intake key again when its file is missing or damaged: an interrupted change is thereby finished or
  // undone.
  enum class Access : std::uint8_t { look, change };
  static Result<KeyState> load(const base::Layout& layout, Keeper& keeper, Access access);

  const Directory& directory() const { return directory_; }
  // Changes become durable with `commit` or a rotation, or not at all.
  Directory& edit() { return directory_; }

  // Errors: not_found when there is no such bucket; corrupt.
  Result<Node> open_node(std::uint32_t bucket) const;
  // The same for a few of its rows.
  Result<NodeReader> read_node(std::uint32_t bucket) const;
  // Writes the rows as the next generation of the bucket, under a fresh node key: a durable new file, and the entry in
  // the edited directory. Nothing counts before the directory is replaced. No rows: the bucket is dropped.
  Result<void> stage_node(Bucket& bucket, std::vector<NodeRow>& rows);
  Result<void> stage_dropped(std::uint32_t bucket);
  // What a register holds; nothing when there is none by that name. Errors: corrupt (also when its file is missing).
  Result<std::optional<base::Bytes>> read_register(const std::string& name) const;
  // Writes it whole, as its next generation under a fresh key; counts with the directory, as nodes do.
  Result<void> stage_register(const std::string& name, base::ByteView plain);
  // Blinds what a register must recognise. Made with the register: stage it in the same change.
  Result<const crypto::Key*> register_index_key(const std::string& name);
  // A new bucket in the edited directory, without a node yet.
  Result<Bucket*> add_bucket(const std::string& retention_class, std::int32_t day);
  // A new intake key in the edited directory; publish it after the commit.
  Result<std::uint32_t> add_intake(Time now);
  Result<void> publish_intake(std::uint32_t id) const;

  // Errc::no_space when a commit would hardly fit: to be asked before something is journalled that the commit makes
  // true.
  Result<void> check_room() const;
  // Re-directory under the same root: for changes that take nothing away.
  Result<void> commit();

  // Rotation, in this order. After commit_rotation the change stands; after forget_old whatever the new directory does
  // not hold cannot be reached any more. When commit_rotation fails nobody knows which directory the disk will show:
  // this state then refuses every further step, and the next `load` finishes or undoes.
  Result<void> stage_root();
  Result<void> commit_rotation(std::uint64_t shreds = 0);
  Result<void> forget_old();
  // What the disk shows now, opened by the same first keeper.
  Result<KeyState> reload() const { return load(layout_, keepers_.first(), Access::look); }
  // From disk: the keepers hold one root, that of the directory on disk. A mirror that is behind is not asked.
  Result<bool> is_forgotten();

  // Mirrors. Those that are back get a root of this epoch, commit and wipe included. True when something was changed.
  Result<bool> bring_in_mirrors();
  // Shreds that are not final, since a keeper that was not there may still hold an older root.
  std::uint64_t waiting() const { return waiting_shreds(directory_); }
  // How many of those have become final since `load`.
  std::uint64_t finalised() const { return finalised_; }
  // As Keepers::add and Keepers::remove; commit after it.
  Result<void> add_mirror(std::unique_ptr<Keeper> keeper, const os::Path& path, const os::Path& first_path);
  Result<void> remove_mirror(const os::Path& path, bool destroyed);
  std::vector<KeeperView> keepers() { return keepers_.view(directory_); }
  // Empty, or why a mirror opened the vault.
  const std::string& opened_instead() const { return keepers_.instead(); }

  // Node files that the directory does not name, and leftovers of interrupted writes. Tells how many went: none when
  // a node it does name is missing, since then this may be an old directory and those files the present nodes.
  Result<std::uint64_t> remove_superseded() const;

  // Room set aside for a full disk (os/spare.h). Only what makes a shred final may use it: `use_spare` says when, and
  // `spare` is null at other times. `refill_spare` replaces what was used; `spare_is_complete` tells.
  void use_spare(bool allowed) { spare_allowed_ = allowed; }
  const os::SpareFiles* spare() const { return spare_allowed_ ? &spare_ : nullptr; }
  Result<void> refill_spare() const;
  Result<bool> spare_is_complete() const;

  const base::Layout& layout() const { return layout_; }

 private:
  KeyState(const base::Layout& layout, Keepers keepers, Directory directory)
      : layout_(layout), keepers_(std::move(keepers)), directory_(std::move(directory)), spare_(layout.spare()) {}

  Result<const Bucket*> bucket_of(std::uint32_t number) const;
  Result<Register*> register_of(const std::string& name);
  Result<void> sync_staged();
  Result<void> restore_intake() const;
  Result<unsigned> intake_mode() const;
  Result<bool> is_for_recorders(std::uint32_t id) const;
  Result<std::vector<std::uint64_t>> spare_sizes() const;
  Result<base::Bytes> seal_with(const crypto::Key& key) const;
  Result<void> wipe_old();
  Result<void> check_certain() const;

  base::Layout layout_;
  Keepers keepers_;
  Directory directory_;
  os::SpareFiles spare_;
  bool spare_allowed_ = false;
  bool nodes_staged_ = false;
  bool registers_staged_ = false;
  std::uint64_t finalised_ = 0;
  bool uncertain_ = false;  // a rotation's commit failed
};

}  // namespace callvault::keys
