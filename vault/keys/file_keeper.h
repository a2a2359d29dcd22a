// A keeper in a file of two slots that are only ever overwritten in place, past the page cache. Losing any part of a
// slot loses its root: root = BLAKE2b-256 of 16 KiB of random bytes. Bytes: docs/format/keeper.md.
#pragma once

#include <array>
#include <memory>

#include "keys/keeper.h"
#include "os/direct_file.h"
#include "os/place.h"

namespace callvault::keys {

class FileKeeper final : public Keeper {
 public:
  // Makes `folder` (mode 0700) and in it the file `root` (mode 0600), without a root: `stage(epoch, none)` follows.
  // Errors: refused when a keeper is there already, or when the place is not sound and `unsafe` is false: the message
  // names the file system and what to do; io, no_space.
  static Result<std::unique_ptr<FileKeeper>> create(const os::Path& folder, bool unsafe);
  // Errors: not_found when there is no keeper in `folder`; corrupt when it is damaged; newer_version; io; refused when
  // the file may not be opened, or when a keeper that was made sound can no longer be written past the page cache.
  static Result<std::unique_ptr<FileKeeper>> open(const os::Path& folder);
  // Undoes a `create` when the vault it was for could not be made: its file, and the folder when that is empty then.
  static void take_back(const os::Path& folder);
  // The same over blocks the caller brings, without looking at any place (tests).
  static Result<std::unique_ptr<FileKeeper>> format_blocks(std::unique_ptr<os::DirectFile> blocks);
  static Result<std::unique_ptr<FileKeeper>> open_blocks(std::unique_ptr<os::DirectFile> blocks);

  Result<std::vector<KeeperSlot>> read() override;
  Result<KeeperSlot> stage(std::uint64_t epoch, std::optional<std::uint64_t> current_epoch) override;
  Result<void> wipe_all_but(std::uint64_t epoch) override;
  Result<void> wipe_all() override;
  Result<bool> unfinished() override;
  KeeperDescription describe() const override;

  // Takes the file's present blocks as the right ones, after a move the operator answers for (the keeper was carried
  // to another disk and the old one destroyed). Errors: refused when the place is not sound and `unsafe` is false.
  Result<void> accept_place(bool unsafe);

 private:
  struct Slot;
  struct Place;
  explicit FileKeeper(std::unique_ptr<os::DirectFile> blocks);
  Result<void> load_place();
  Result<void> store_place();
  Result<void> check_place() const;
  Result<Slot> load_slot(std::size_t index);
  Result<Slot> slot_in(base::ByteView blocks, std::size_t index, bool examine) const;
  Result<void> wipe_slot(std::size_t index);
  Result<std::size_t> find_sound_slot(std::uint64_t epoch);

  std::unique_ptr<os::DirectFile> blocks_;
  bool unsafe_ = false;
  bool unplaced_ = false;  // over blocks that lie in no file
  std::vector<os::Extent> extents_;
};

}  // namespace callvault::keys
