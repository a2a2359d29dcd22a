#include "keys/file_keeper.h"

#include <sys/stat.h>

#include <algorithm>
#include <utility>

#include "crypto/random.h"

namespace callvault::keys {
namespace {

using os::BlockBuffer;
using os::kBlockBytes;

// docs/format/keeper.md: one place block, then two slots of a header block and four key blocks.
constexpr std::uint16_t kKeeperVersion = 1;
constexpr std::string_view kPlaceMagic = "CVKEEPER";
constexpr std::string_view kSlotMagic = "CVKEPSLT";
constexpr std::size_t kSlots = 2;
constexpr std::size_t kKeyBlocks = 4;
constexpr std::size_t kSlotBytes = (1 + kKeyBlocks) * kBlockBytes;
constexpr std::size_t kKeeperBytes = kBlockBytes + kSlots * kSlotBytes;
constexpr std::size_t kMaxExtents = 32;
static_assert(kKeyBlocks * kBlockBytes == 16 * 1024);
static_assert(kKeeperBytes == 45056);

constexpr std::uint16_t kUnsafeFlag = 1;
constexpr std::uint16_t kUnplacedFlag = 2;

constexpr std::uint16_t kEmptySlot = 0;  // the digest is that of the filler a finished wipe leaves
constexpr std::uint16_t kRootSlot = 1;   // the digest is the commitment to the root

std::uint64_t header_at(std::size_t index) { return kBlockBytes + index * kSlotBytes; }
std::uint64_t keys_at(std::size_t index) { return header_at(index) + kBlockBytes; }

os::Path file_in(const os::Path& folder) { return folder / "root"; }

// Ends a header block: its fields are followed by their hash, which finds damage (not tampering).
void add_check(base::MutableBytes block, base::FieldWriter& fields) {
  const auto check = crypto::blake2b(block.first(fields.used()));
  fields.bytes(check);
}

bool check_holds(base::ByteView block, base::FieldReader& fields) {
  const auto expected = crypto::blake2b(block.first(fields.used()));
  const auto stored = fields.array<32>();
  return fields.ok() && stored == expected &&
         std::all_of(block.begin() + static_cast<std::ptrdiff_t>(fields.used()), block.end(),
                     [](std::byte b) { return b == std::byte{0}; });
}

crypto::Digest filler_digest(base::ByteView filler) {
  crypto::Hasher hasher;
  hasher.add(base::as_bytes("callvault v1 keeper filler"));
  hasher.add(filler);
  return hasher.finish();
}

Result<crypto::Key> root_of(base::ByteView key_blocks) {
  CALLVAULT_TRY_ASSIGN(crypto::Key root, crypto::Key::random());
  crypto::Hasher hasher;
  hasher.add(key_blocks);
  hasher.finish_into(root.reveal_mutable());
  return root;
}

Result<void> write_slot_header(os::DirectFile& blocks, std::size_t index, std::uint16_t state, std::uint64_t epoch,
                               const crypto::Digest& digest) {
  CALLVAULT_TRY_ASSIGN(BlockBuffer block, BlockBuffer::make(1));
  base::FieldWriter fields(block.reveal_mutable());
  fields.bytes(base::as_bytes(kSlotMagic));
  fields.number(kKeeperVersion);
  fields.number(static_cast<std::uint16_t>(index));
  fields.number(state);
  fields.number(std::uint16_t{0});
  fields.number(epoch);
  fields.bytes(digest);
  add_check(block.reveal_mutable(), fields);
  return blocks.write_verified(block.reveal(), header_at(index));
}

// A sector that cannot be read is told from damage by nobody who may overwrite it.
bool is_damage(const Error& error) { return error.code == Errc::corrupt || error.code == Errc::io; }

}  // namespace

Result<crypto::Digest> keeper_commitment(const crypto::Key& root) {
  CALLVAULT_TRY_ASSIGN(const crypto::Key derived, root.derive("callvault v1 keeper commitment"));
  crypto::Digest out{};
  std::copy(derived.reveal().begin(), derived.reveal().end(), out.begin());
  return out;
}

struct FileKeeper::Slot {
  enum class State : std::uint8_t { empty, unfinished, sound } state = State::empty;
  std::optional<KeeperSlot> content;  // of a sound one
};

FileKeeper::FileKeeper(std::unique_ptr<os::DirectFile> blocks) : blocks_(std::move(blocks)) {}

Result<std::unique_ptr<FileKeeper>> FileKeeper::create(const os::Path& folder, bool unsafe) {
  const os::Path path = file_in(folder);
  CALLVAULT_TRY_ASSIGN(const bool there, os::is_there(path));
  if (there) return fail(Errc::refused, "a keeper is there already: " + path.string());
  CALLVAULT_TRY_ASSIGN(const os::PlaceReport before, os::examine_place(folder));
  if (!before.sound && !unsafe)
    return fail(Errc::refused, "no safe place for a keeper: " + folder.string() + ": " + before.reason);
  CALLVAULT_TRY(os::make_folder(folder, 0700));

  const auto way = unsafe ? os::DirectFile::Way::synced : os::DirectFile::Way::direct;
  CALLVAULT_TRY_ASSIGN(auto blocks, os::DirectFile::create(path, way));
  auto made = [&]() -> Result<std::unique_ptr<FileKeeper>> {
    std::unique_ptr<FileKeeper> keeper(new FileKeeper(std::move(blocks)));
    // Every block is allocated and written before anything secret comes, the place block last: without it this is
    // no keeper.
    CALLVAULT_TRY_ASSIGN(const BlockBuffer zeros, BlockBuffer::make(kKeeperBytes / kBlockBytes));
    CALLVAULT_TRY(keeper->blocks_->write_verified(zeros.reveal(), 0));
    for (std::size_t i = 0; i < kSlots; ++i) CALLVAULT_TRY(keeper->wipe_slot(i));
    CALLVAULT_TRY(os::sync_folder(folder));
    CALLVAULT_TRY(os::sync_folder(folder.has_parent_path() ? folder.parent_path() : os::Path(".")));
    CALLVAULT_TRY(keeper->accept_place(unsafe));
    return keeper;
  }();
  // Nothing secret was in it yet.
  if (!made) take_back(folder);
  return made;
}

void FileKeeper::take_back(const os::Path& folder) {
  (void)os::remove_file(file_in(folder));
  std::error_code ignored;
  std::filesystem::remove(folder, ignored);  // only when empty
}

Result<std::unique_ptr<FileKeeper>> FileKeeper::open(const os::Path& folder) {
  const os::Path path = file_in(folder);
  // Opened so that a file system without O_DIRECT can say in its place block that this was accepted.
  CALLVAULT_TRY_ASSIGN(auto blocks, os::DirectFile::open(path, os::DirectFile::Way::synced));
  CALLVAULT_TRY_ASSIGN(auto keeper, open_blocks(std::move(blocks)));
  if (!keeper->unsafe_) {
    CALLVAULT_TRY_ASSIGN(keeper->blocks_, os::DirectFile::open(path, os::DirectFile::Way::direct));
  }
  return keeper;
}

Result<std::unique_ptr<FileKeeper>> FileKeeper::format_blocks(std::unique_ptr<os::DirectFile> blocks) {
  std::unique_ptr<FileKeeper> keeper(new FileKeeper(std::move(blocks)));
  for (std::size_t i = 0; i < kSlots; ++i) CALLVAULT_TRY(keeper->wipe_slot(i));
  keeper->unsafe_ = true;
  keeper->unplaced_ = true;
  CALLVAULT_TRY(keeper->store_place());
  return keeper;
}

Result<std::unique_ptr<FileKeeper>> FileKeeper::open_blocks(std::unique_ptr<os::DirectFile> blocks) {
  std::unique_ptr<FileKeeper> keeper(new FileKeeper(std::move(blocks)));
  CALLVAULT_TRY(keeper->load_place());
  return keeper;
}

Result<void> FileKeeper::store_place() {
  CALLVAULT_TRY_ASSIGN(BlockBuffer block, BlockBuffer::make(1));
  base::FieldWriter fields(block.reveal_mutable());
  fields.bytes(base::as_bytes(kPlaceMagic));
  fields.number(kKeeperVersion);
  fields.number(static_cast<std::uint16_t>((unsafe_ ? kUnsafeFlag : 0) | (unplaced_ ? kUnplacedFlag : 0)));
  fields.number(static_cast<std::uint32_t>(extents_.size()));
  for (const os::Extent& one : extents_) {
    fields.number(one.logical);
    fields.number(one.physical);
    fields.number(one.bytes);
  }
  add_check(block.reveal_mutable(), fields);
  return blocks_->write_verified(block.reveal(), 0);
}

Result<void> FileKeeper::load_place() {
  const std::string name = blocks_->path().string();
  CALLVAULT_TRY_ASSIGN(BlockBuffer block, BlockBuffer::make(1));
  CALLVAULT_TRY(blocks_->read(block.reveal_mutable(), 0));
  base::FieldReader fields(block.reveal());
  if (base::as_text(fields.bytes(kPlaceMagic.size())) != kPlaceMagic)
    return fail(Errc::corrupt, "not a keeper: " + name);
  const auto version = fields.number<std::uint16_t>();
  if (version > kKeeperVersion) return fail(Errc::newer_version, "a keeper of a newer version: " + name);
  const auto flags = fields.number<std::uint16_t>();
  const auto count = fields.number<std::uint32_t>();
  if (version != kKeeperVersion || count > kMaxExtents) return fail(Errc::corrupt, "the keeper is damaged: " + name);
  extents_.clear();
  for (std::uint32_t i = 0; i < count; ++i) {
    os::Extent one;
    one.logical = fields.number<std::uint64_t>();
    one.physical = fields.number<std::uint64_t>();
    one.bytes = fields.number<std::uint64_t>();
    extents_.push_back(one);
  }
  if (!check_holds(block.reveal(), fields)) return fail(Errc::corrupt, "the keeper is damaged: " + name);
  unsafe_ = (flags & kUnsafeFlag) != 0;
  unplaced_ = (flags & kUnplacedFlag) != 0;
  return {};
}

Result<void> FileKeeper::accept_place(bool unsafe) {
  CALLVAULT_TRY_ASSIGN(const os::PlaceReport place, os::examine_place(blocks_->path()));
  if (!place.sound && !unsafe)
    return fail(Errc::refused, "no safe place for a keeper: " + blocks_->path().string() + ": " + place.reason);
  unplaced_ = false;
  unsafe_ = unsafe;
  extents_.clear();
  if (!unsafe) {
    CALLVAULT_TRY_ASSIGN(const os::FileLayout layout, os::file_layout(blocks_->fd(), blocks_->path()));
    if (layout.extents.size() > kMaxExtents)
      return fail(Errc::refused,
                  "the keeper lies in too many pieces; make it on a disk with more room: " + blocks_->path().string());
    extents_ = layout.extents;
  }
  return store_place();
}

Result<void> FileKeeper::check_place() const {
  if (unsafe_) return {};
  const std::string name = blocks_->path().string();
  CALLVAULT_TRY_ASSIGN(const os::PlaceReport place, os::examine_place(blocks_->path()));
  if (!place.sound)
    return fail(Errc::refused, "the keeper's place is not sound any more: " + name + ": " + place.reason);
  struct stat st {};
  if (::fstat(blocks_->fd(), &st) != 0) return os::system_error(errno, "cannot examine", blocks_->path());
  if (st.st_nlink != 1) return fail(Errc::refused, "the keeper has a second name or was removed: " + name);
  CALLVAULT_TRY_ASSIGN(const os::FileLayout layout, os::file_layout(blocks_->fd(), blocks_->path()));
  if (!layout.trouble.empty()) return fail(Errc::refused, "a part of the keeper is " + layout.trouble + ": " + name);
  if (layout.extents != extents_)
    return fail(Errc::refused,
                "the keeper has moved on the disk (copied, restored or defragmented), so old root keys may remain "
                "where it was: " +
                    name);
  return {};
}

Result<FileKeeper::Slot> FileKeeper::load_slot(std::size_t index) {
  CALLVAULT_TRY_ASSIGN(BlockBuffer all, BlockBuffer::make(1 + kKeyBlocks));
  CALLVAULT_TRY(blocks_->read(all.reveal_mutable(), header_at(index)));
  return slot_in(all.reveal(), index, true);
}

// `examine`: whether an empty one was wiped to its end; else it is called empty.
Result<FileKeeper::Slot> FileKeeper::slot_in(base::ByteView blocks, std::size_t index, bool examine) const {
  const std::string name = "slot " + std::to_string(index) + " of the keeper " + blocks_->path().string();
  const base::ByteView header = blocks.first(kBlockBytes);
  const base::ByteView key_blocks = blocks.subspan(kBlockBytes);

  base::FieldReader fields(header);
  const bool magic = base::as_text(fields.bytes(kSlotMagic.size())) == kSlotMagic;
  const auto version = fields.number<std::uint16_t>();
  if (magic && version > kKeeperVersion) return fail(Errc::newer_version, name + " is of a newer version");
  const auto stored_index = fields.number<std::uint16_t>();
  const auto state = fields.number<std::uint16_t>();
  const auto reserved = fields.number<std::uint16_t>();
  const auto epoch = fields.number<std::uint64_t>();
  const auto digest = fields.array<32>();
  if (!magic || version != kKeeperVersion || stored_index != index || reserved != 0 || state > kRootSlot ||
      !check_holds(header, fields))
    return fail(Errc::corrupt, "the header of " + name + " is damaged");

  Slot slot;
  if (state == kEmptySlot) {
    // A cut-short stage or wipe leaves key blocks that are not the filler the header names.
    slot.state = !examine || filler_digest(key_blocks) == digest ? Slot::State::empty : Slot::State::unfinished;
    return slot;
  }
  CALLVAULT_TRY_ASSIGN(crypto::Key root, root_of(key_blocks));
  CALLVAULT_TRY_ASSIGN(const crypto::Digest commitment, keeper_commitment(root));
  if (!crypto::equal(commitment, digest)) return fail(Errc::corrupt, "the key blocks of " + name + " are damaged");
  slot.state = Slot::State::sound;
  slot.content = KeeperSlot{epoch, commitment, std::move(root)};
  return slot;
}

Result<std::vector<KeeperSlot>> FileKeeper::read() {
  std::vector<KeeperSlot> out;
  std::optional<Error> damage;
  // Both slots at once: each read waits for the device. Unless one of them cannot be read: then the other may.
  CALLVAULT_TRY_ASSIGN(BlockBuffer both, BlockBuffer::make(kSlots * (1 + kKeyBlocks)));
  const auto got = blocks_->read(both.reveal_mutable(), header_at(0));
  for (std::size_t i = 0; i < kSlots; ++i) {
    auto slot = got ? slot_in(both.reveal().subspan(i * kSlotBytes, kSlotBytes), i, false) : load_slot(i);
    if (!slot && !is_damage(slot.error())) return std::move(slot).error();
    if (!slot) {
      damage = std::move(slot).error();
      continue;
    }
    if (slot->content) out.push_back(std::move(*slot->content));
  }
  if (out.empty() && damage) return *damage;
  if (out.empty()) return fail(Errc::corrupt, "the keeper holds no root key: " + blocks_->path().string());
  return out;
}

Result<bool> FileKeeper::unfinished() {
  for (std::size_t i = 0; i < kSlots; ++i) {
    CALLVAULT_TRY_ASSIGN(const Slot slot, load_slot(i));
    if (slot.state == Slot::State::unfinished) return true;
  }
  return false;
}

Result<std::size_t> FileKeeper::find_sound_slot(std::uint64_t epoch) {
  std::string why;
  std::optional<Error> unread;
  for (std::size_t i = 0; i < kSlots; ++i) {
    const auto slot = load_slot(i);
    if (!slot && !is_damage(slot.error())) return slot.error();
    if (!slot) why = "; " + slot.error().message;
    if (!slot && slot.error().code == Errc::io) unread = slot.error();
    if (slot && slot->content && slot->content->epoch == epoch) return i;
  }
  if (unread) return *unread;  // it may be there
  return fail(Errc::corrupt, "the keeper holds no sound root key of epoch " + std::to_string(epoch) + ": " +
                                 blocks_->path().string() + why);
}

// The header goes first: from then on the slot shows no root, whatever its key blocks still hold, and it names the
// filler that will prove the wipe complete. Random filler, since zeros may be turned into an unmap that overwrites
// nothing, and would read back the same.
Result<void> FileKeeper::wipe_slot(std::size_t index) {
  CALLVAULT_TRY_ASSIGN(BlockBuffer filler, BlockBuffer::make(kKeyBlocks));
  crypto::fill_random(filler.reveal_mutable());
  CALLVAULT_TRY(write_slot_header(*blocks_, index, kEmptySlot, 0, filler_digest(filler.reveal())));
  return blocks_->write_verified(filler.reveal(), keys_at(index));
}

Result<KeeperSlot> FileKeeper::stage(std::uint64_t epoch, std::optional<std::uint64_t> current_epoch) {
  if (current_epoch && epoch <= *current_epoch) return fail(Errc::usage, "the next epoch must follow the present one");
  CALLVAULT_TRY(check_place());
  std::size_t target = 0;
  if (current_epoch) {
    CALLVAULT_TRY_ASSIGN(const std::size_t current, find_sound_slot(*current_epoch));
    target = 1 - current;
  } else {
    for (std::size_t i = 0; i < kSlots; ++i) {
      CALLVAULT_TRY_ASSIGN(const Slot slot, load_slot(i));
      if (slot.content) return fail(Errc::refused, "the keeper holds a root key already: " + blocks_->path().string());
    }
  }

  // A slot that is not known to be empty is wiped first: its header must show no root while its key blocks change.
  const auto before = load_slot(target);
  if (!before && !is_damage(before.error())) return before.error();
  if (!before || before->state == Slot::State::sound) CALLVAULT_TRY(wipe_slot(target));

  CALLVAULT_TRY_ASSIGN(BlockBuffer material, BlockBuffer::make(kKeyBlocks));
  crypto::fill_random(material.reveal_mutable());
  CALLVAULT_TRY_ASSIGN(crypto::Key root, root_of(material.reveal()));
  CALLVAULT_TRY_ASSIGN(const crypto::Digest commitment, keeper_commitment(root));
  CALLVAULT_TRY(blocks_->write_verified(material.reveal(), keys_at(target)));
  CALLVAULT_TRY(write_slot_header(*blocks_, target, kRootSlot, epoch, commitment));
  return KeeperSlot{epoch, commitment, std::move(root)};
}

Result<void> FileKeeper::wipe_all_but(std::uint64_t epoch) {
  CALLVAULT_TRY_ASSIGN(const std::size_t keep, find_sound_slot(epoch));
  for (std::size_t i = 0; i < kSlots; ++i) {
    if (i == keep) continue;
    const auto slot = load_slot(i);
    if (!slot && !is_damage(slot.error())) return slot.error();
    if (slot && slot->state == Slot::State::empty) continue;
    CALLVAULT_TRY(wipe_slot(i));
  }
  return {};
}

Result<void> FileKeeper::wipe_all() {
  for (std::size_t i = 0; i < kSlots; ++i) CALLVAULT_TRY(wipe_slot(i));
  return {};
}

KeeperDescription FileKeeper::describe() const {
  KeeperDescription out{"file", blocks_->path().string(), "unknown", false, "", std::string(kLogicallyErased)};
  const auto place = os::examine_place(blocks_->path());
  if (!place) {
    out.reason = place.error().message;
    return out;
  }
  out.medium = place->medium;
  const auto still = check_place();
  out.sound = place->sound && !unsafe_ && still.has_value();
  if (!place->sound)
    out.reason = place->reason;
  else if (unsafe_)
    out.reason = "it was accepted as unsafe when it was made";
  else if (!still)
    out.reason = still.error().message;
  return out;
}

}  // namespace callvault::keys
