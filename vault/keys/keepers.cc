#include "keys/keepers.h"

#include <algorithm>

#include "keys/open_keeper.h"

namespace callvault::keys {
namespace {

const KeeperSlot* slot_of(const std::vector<KeeperSlot>& slots, const KeeperEntry& entry) {
  const auto it = std::find_if(slots.begin(), slots.end(),
                               [&](const KeeperSlot& s) { return crypto::equal(s.commitment, entry.commitment); });
  return it == slots.end() ? nullptr : &*it;
}

// One whose every root is of a later epoch has seen that epoch's rotation end.
bool has_forgotten(const std::vector<KeeperSlot>& slots, std::uint64_t epoch) {
  return std::all_of(slots.begin(), slots.end(), [&](const KeeperSlot& s) { return s.epoch > epoch; });
}

// What may have happened to a keeper that is lost; anything else is this process's trouble.
bool is_loss(const Error& error) {
  return error.code == Errc::corrupt || error.code == Errc::io || error.code == Errc::not_found;
}

Result<bool> holds_one(Keeper& keeper, std::uint64_t epoch) {
  CALLVAULT_TRY_ASSIGN(const auto slots, keeper.read());
  CALLVAULT_TRY_ASSIGN(const bool unfinished, keeper.unfinished());
  return !unfinished && slots.size() == 1 && slots.front().epoch == epoch;
}

}  // namespace

Keepers::Keepers(const base::Layout& layout, Keeper& first) : layout_(layout), first_(&first) {}

Keepers::Keepers(const base::Layout& layout, Keeper& first, crypto::Key root) : Keepers(layout, first) {
  key_ = std::move(root);
}

os::Path Keepers::folder_of(const KeeperEntry& entry) const {
  return (layout_.root / os::Path(entry.path)).lexically_normal();
}

// What lies beside the vault is named from there, so that the two may be moved together.
std::string Keepers::stored_path(const os::Path& folder) const {
  const os::Path relative = folder.lexically_relative(layout_.root.parent_path());
  if (relative.empty() || *relative.begin() == ".." || *relative.begin() == ".") return folder.string();
  return (os::Path("..") / relative).string();
}

Result<Keepers> Keepers::open(const base::Layout& layout, Keeper& first, const DirectoryHead& head, Reach reach) {
  Keepers out(layout, first);
  if (head.keepers.empty()) {
    CALLVAULT_TRY(out.find_alone(head));
    return out;
  }
  out.ones_.resize(head.keepers.size());
  CALLVAULT_TRY(out.find_first(head));
  const auto own = out.opener_;
  for (std::size_t i = 0; i < out.ones_.size(); ++i)
    if (reach == Reach::all || !out.key_) CALLVAULT_TRY(out.ask(i, head));
  if (!out.key_) return out.nobody_opens(head);
  if (!own)
    out.instead_ = (out.first_problem_.empty() ? "the first keeper is behind" : out.first_problem_) +
                   "; the vault is opened by its mirror in " + out.folder_of(head.keepers[*out.opener_]).string();
  return out;
}

Result<void> Keepers::find_alone(const DirectoryHead& head) {
  CALLVAULT_TRY_ASSIGN(auto slots, first_->read());
  for (auto& slot : slots) {
    if (slot.epoch != head.epoch) continue;
    key_ = std::move(slot.root);
    return {};
  }
  CALLVAULT_TRY(first_->unfinished());  // or the slot it would be in is damaged
  return fail(Errc::corrupt, "the keeper has no root for keys/directory (its epoch is " + std::to_string(head.epoch) +
                                 "): an old copy of one of the two was brought back; nothing was wiped");
}

Result<void> Keepers::find_first(const DirectoryHead& head) {
  const auto slots = first_->read();
  if (!slots && !is_loss(slots.error())) return slots.error();
  if (!slots) {
    first_problem_ = slots.error().message;
    return {};
  }
  for (std::size_t i = 0; i < ones_.size(); ++i) {
    if (slot_of(*slots, head.keepers[i]) == nullptr) continue;
    ones_[i].keeper = first_;
    return take(i, *slots, head.keepers[i]);
  }
  if (const auto damage = first_->unfinished(); !damage) {
    if (!is_loss(damage.error())) return damage.error();
    first_problem_ = damage.error().message;
    return {};
  }
  // There, and not the one that it was: whether the directory or the keeper is old, a mirror must not decide.
  return fail(Errc::corrupt, "the keeper has no root for keys/directory (its epoch is " + std::to_string(head.epoch) +
                                 "): an old copy of one of the two was brought back; nothing was wiped");
}

Result<void> Keepers::ask(std::size_t index, const DirectoryHead& head) {
  One& one = ones_[index];
  const KeeperEntry& entry = head.keepers[index];
  if (one.standing != Standing::unasked) return {};
  one.standing = Standing::missing;
  const os::Path folder = folder_of(entry);
  auto opened = open_keeper(folder);
  if (!opened) {
    one.problem = opened.error().code == Errc::not_found ? "no keeper in " + folder.string() : opened.error().message;
    return {};
  }
  one.owned = std::move(*opened);
  one.keeper = one.owned.get();
  const auto slots = one.keeper->read();
  if (!slots) {
    one.problem = slots.error().message;
    return {};
  }
  if (slot_of(*slots, entry) != nullptr) return take(index, *slots, entry);
  if (has_forgotten(*slots, head.epoch))
    return fail(Errc::corrupt, "the keeper in " + folder.string() + " has forgotten epoch " +
                                   std::to_string(head.epoch) +
                                   " of keys/directory already: an old copy of the vault was brought back; nothing was "
                                   "wiped");
  one.standing = Standing::strange;
  one.problem = "the keeper in " + folder.string() +
                " holds none of the roots that it should: an old copy of it, or "
                "another vault's; nothing was wiped";
  return {};
}

Result<void> Keepers::take(std::size_t index, const std::vector<KeeperSlot>& slots, const KeeperEntry& entry) {
  One& one = ones_[index];
  one.standing = entry.is_current() ? Standing::current : Standing::behind;
  if (!entry.is_current()) {
    one.problem = "the keeper in " + folder_of(entry).string() + " is behind: its root is of epoch " +
                  std::to_string(entry.epoch);
    return {};
  }
  if (key_) return {};
  CALLVAULT_TRY_ASSIGN(key_, unwrap_directory_key(entry, *slot_of(slots, entry)));
  opener_ = index;
  return {};
}

Error Keepers::nobody_opens(const DirectoryHead& head) const {
  std::string why = first_problem_;
  for (const One& one : ones_)
    if (one.problem != first_problem_) why += (why.empty() ? "" : "; ") + one.problem;
  return fail(Errc::corrupt,
              "no keeper opens keys/directory (its epoch is " + std::to_string(head.epoch) + "): " + why);
}

Result<void> Keepers::wipe_old(Directory& directory) {
  if (ones_.empty()) return first_->wipe_all_but(directory.epoch);
  for (std::size_t i = 0; i < ones_.size(); ++i) {
    One& one = ones_[i];
    if (one.standing != Standing::current) continue;
    auto wiped = one.keeper->wipe_all_but(directory.epoch);
    if (!wiped && i == opener_) return wiped;
    if (!wiped) {
      one.standing = Standing::missing;
      one.problem = wiped.error().message;
      continue;
    }
    directory.keepers[i].oldest = directory.epoch;
    directory.keepers[i].waiting = 0;
  }
  return {};
}

Result<void> Keepers::stage(const Directory& directory) {
  const std::uint64_t epoch = directory.epoch + 1;
  next_.reset();
  if (ones_.empty()) {
    CALLVAULT_TRY_ASSIGN(auto slot, first_->stage(epoch, directory.epoch));
    next_ = std::move(slot.root);
    next_epoch_ = epoch;
    return {};
  }
  for (std::size_t i = 0; i < ones_.size(); ++i) {
    One& one = ones_[i];
    one.staged.reset();
    if (one.standing != Standing::current) continue;
    auto slot = one.keeper->stage(epoch, directory.epoch);
    if (!slot && i == opener_) return std::move(slot).error();
    if (slot) {
      one.staged = std::move(*slot);
    } else {
      one.standing = Standing::missing;
      one.problem = slot.error().message;
    }
  }
  CALLVAULT_TRY_ASSIGN(next_, crypto::Key::random());
  next_epoch_ = epoch;
  return {};
}

Result<const crypto::Key*> Keepers::take_staged(Directory& directory, std::uint64_t shreds) {
  if (!next_) return fail(Errc::unexpected, "no root is staged");
  directory.epoch = *next_epoch_;
  for (std::size_t i = 0; i < ones_.size(); ++i) {
    KeeperEntry& entry = directory.keepers[i];
    entry.waiting += shreds;
    entry.wrap.clear();
    if (ones_[i].staged) CALLVAULT_TRY(wrap_directory_key(entry, directory.epoch, *ones_[i].staged, *next_));
  }
  return &*next_;
}

void Keepers::committed() {
  key_ = std::move(*next_);
  next_.reset();
  for (One& one : ones_) {
    if (!one.staged && one.standing == Standing::current) one.standing = Standing::behind;
    one.staged.reset();
  }
}

Result<bool> Keepers::are_alone(const Directory& directory) {
  if (ones_.empty()) return holds_one(*first_, directory.epoch);
  for (const One& one : ones_) {
    if (one.standing != Standing::current) continue;
    CALLVAULT_TRY_ASSIGN(const bool alone, holds_one(*one.keeper, directory.epoch));
    if (!alone) return false;
  }
  return true;
}

Result<bool> Keepers::bring_in(Directory& directory) {
  bool any = false;
  for (std::size_t i = 0; i < ones_.size(); ++i) {
    One& one = ones_[i];
    if (one.standing != Standing::behind) continue;
    KeeperEntry& entry = directory.keepers[i];
    const auto slot = one.keeper->stage(directory.epoch, entry.epoch);
    if (!slot) {
      one.problem = slot.error().message;
      continue;
    }
    CALLVAULT_TRY(wrap_directory_key(entry, directory.epoch, *slot, *key_));
    one.standing = Standing::current;
    one.problem.clear();
    any = true;
  }
  return any;
}

Result<void> Keepers::add(Directory& directory, std::unique_ptr<Keeper> keeper, const os::Path& path,
                          const os::Path& first_path) {
  if (ones_.empty()) {
    CALLVAULT_TRY_ASSIGN(const auto slots, first_->read());
    const auto present =
        std::find_if(slots.begin(), slots.end(), [&](const KeeperSlot& s) { return s.epoch == directory.epoch; });
    if (present == slots.end()) return fail(Errc::unexpected, "the keeper's root has gone");
    CALLVAULT_TRY_ASSIGN(key_, crypto::Key::random());
    KeeperEntry entry;
    entry.path = stored_path(first_path);
    entry.oldest = directory.epoch;
    CALLVAULT_TRY(wrap_directory_key(entry, directory.epoch, *present, *key_));
    directory.keepers.push_back(std::move(entry));
    ones_.push_back({first_, nullptr, Standing::current, "", std::nullopt});
    opener_ = 0;
  }
  CALLVAULT_TRY_ASSIGN(const auto slot, keeper->stage(directory.epoch, std::nullopt));
  KeeperEntry entry;
  entry.path = stored_path(path);
  entry.oldest = directory.epoch;
  CALLVAULT_TRY(wrap_directory_key(entry, directory.epoch, slot, *key_));
  directory.keepers.push_back(std::move(entry));
  Keeper* raw = keeper.get();
  ones_.push_back({raw, std::move(keeper), Standing::current, "", std::nullopt});
  return {};
}

Result<void> Keepers::remove(Directory& directory, const os::Path& path, bool destroyed) {
  const auto found = std::find_if(directory.keepers.begin(), directory.keepers.end(),
                                  [&](const KeeperEntry& e) { return folder_of(e) == path; });
  if (found == directory.keepers.end()) return fail(Errc::not_found, "no keeper of this vault is in " + path.string());
  const auto index = static_cast<std::size_t>(found - directory.keepers.begin());
  One& one = ones_[index];
  if (index == opener_)
    return fail(Errc::refused, "the keeper in " + path.string() + " is the one that opens the vault here");
  if (!destroyed) {
    if (one.keeper == nullptr || one.standing == Standing::strange)
      return fail(Errc::refused, "the keeper in " + path.string() + " cannot be wiped: " + one.problem);
    CALLVAULT_TRY(one.keeper->wipe_all());
  }
  directory.keepers.erase(found);
  ones_.erase(ones_.begin() + static_cast<std::ptrdiff_t>(index));
  if (*opener_ > index) --*opener_;
  return {};
}

std::vector<KeeperView> Keepers::view(const Directory& directory) {
  std::vector<KeeperView> out;
  const DirectoryHead head{kDirectoryVersion, directory.epoch, directory.keepers};
  for (std::size_t i = 0; i < ones_.size(); ++i) {
    One& one = ones_[i];
    if (const auto asked = ask(i, head); !asked) one.problem = asked.error().message;
    KeeperView view{
        folder_of(head.keepers[i]).string(), one.standing, one.problem, head.keepers[i], std::nullopt, {}, false};
    if (one.keeper != nullptr) {
      view.told = one.keeper->describe();
      if (const auto slots = one.keeper->read())
        for (const auto& slot : *slots) view.epochs.push_back(slot.epoch);
      if (const auto unfinished = one.keeper->unfinished()) view.unfinished = *unfinished;
      std::sort(view.epochs.begin(), view.epochs.end());
    }
    out.push_back(std::move(view));
  }
  return out;
}

std::uint64_t waiting_shreds(const Directory& directory) {
  std::uint64_t out = 0;
  for (const auto& entry : directory.keepers) out = std::max(out, entry.waiting);
  return out;
}

bool forgotten_before(const Directory& directory, std::uint64_t epoch) {
  return std::all_of(directory.keepers.begin(), directory.keepers.end(),
                     [&](const KeeperEntry& e) { return e.oldest >= epoch; });
}

}  // namespace callvault::keys
