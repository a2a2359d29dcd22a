#include "backups/restore.h"

#include <algorithm>

#include "context/folders.h"
#include "context/sealed_files.h"
#include "keys/identity.h"
#include "keys/recorder_view.h"
#include "os/copy.h"
#include "sealed/names.h"

namespace callvault::backups {
namespace {

constexpr std::uint64_t kMaxSmallFileBytes = std::uint64_t{1} << 20;

bool is_newer(const keys::Directory& one, const keys::Directory& other) {
  return std::pair(one.epoch, one.journal_size) > std::pair(other.epoch, other.journal_size);
}

std::string epochs_of(const std::vector<keys::KeeperSlot>& slots) {
  std::string out;
  for (const auto& slot : slots) out += (out.empty() ? "" : " and ") + std::to_string(slot.epoch);
  return out;
}

// What keeps a key state from being opened, for people: it is mostly its age.
Result<std::string> why_closed(const base::Layout& layout, const std::string& whose, keys::Keeper& keeper,
                               const Error& error) {
  const auto file = os::read_file(layout.directory(), keys::kMaxDirectoryBytes);
  if (!file && file.error().code == Errc::not_found) return whose + " is missing";
  const auto epoch = file ? keys::directory_epoch(*file) : Result<std::uint64_t>(file.error());
  CALLVAULT_TRY_ASSIGN(const auto slots, keeper.read());
  const bool known = epoch && std::any_of(slots.begin(), slots.end(), [&](const auto& s) { return s.epoch == *epoch; });
  if (!epoch || known) return whose + ": " + error.message;
  return whose + " is of epoch " + std::to_string(*epoch) + " while the keeper is at epoch " + epochs_of(slots);
}

os::Path aside(const os::Path& folder) {
  for (int i = 1;; ++i) {
    os::Path out = folder;
    out += ".before-restore-" + std::to_string(i);
    if (!os::exists(out)) return out;
  }
}

}  // namespace

Result<void> Restore::plan() {
  auto manifest = read_manifest(from_.root);
  if (!manifest && manifest.error().code == Errc::not_found)
    return fail(Errc::not_found, "no backup in " + from_.root.string() + ": it has no backup.json");
  if (!manifest) return std::move(manifest).error();
  manifest_ = std::move(*manifest);
  if (!manifest_.complete)
    return fail(Errc::not_found, "the first backup in " + from_.root.string() + " was never finished");
  report_.taken_at = base::utc_text(manifest_.taken_at);
  CALLVAULT_TRY(choose_keys());
  return choose_journal();
}

Result<void> Restore::choose_keys() {
  auto mine = keys::KeyState::load(into_, keeper_, keys::KeyState::Access::look);
  auto theirs = keys::KeyState::load(from_, keeper_, keys::KeyState::Access::look);
  for (const auto* state : {&mine, &theirs})
    if (!*state && state->error().code != Errc::corrupt) return state->error();
  if (!mine && !theirs) {
    CALLVAULT_TRY_ASSIGN(const auto here, why_closed(into_, "keys/directory of the vault", keeper_, mine.error()));
    CALLVAULT_TRY_ASSIGN(const auto there, why_closed(from_, "keys/directory of the backup", keeper_, theirs.error()));
    return fail(Errc::corrupt, "no key state opens with this keeper: " + there + "; " + here +
                                   "; an older epoch was forgotten with its shred, by design; nothing was changed");
  }
  if (!mine) CALLVAULT_TRY(check_not_older(theirs->directory().epoch));
  report_.keys_from_backup = !mine || (theirs && is_newer(theirs->directory(), mine->directory()));
  state_.emplace(std::move(report_.keys_from_backup ? *theirs : *mine));
  report_.epoch = state_->directory().epoch;
  return {};
}

// A keeper that was away, or an old copy of one, opens an old backup and not the vault: what was shredded since would
// come back.
Result<void> Restore::check_not_older(std::uint64_t epoch) const {
  const auto file = os::read_file(into_.directory(), keys::kMaxDirectoryBytes);
  const auto own = file ? keys::directory_epoch(*file) : Result<std::uint64_t>(file.error());
  if (!own || *own <= epoch) return {};
  return fail(Errc::corrupt, "this keeper opens the backup's keys/directory, of epoch " + std::to_string(epoch) +
                                 ", and not the vault's, of epoch " + std::to_string(*own) +
                                 ": it is behind, or an old copy; nothing was changed");
}

// Whether the journal in that folder is the one the key state remembers, and goes as far.
Result<bool> Restore::reaches(const os::Path& folder, std::string& why) const {
  const auto& directory = state_->directory();
  const journal::Head remembered{directory.journal_size, directory.journal_root};
  const auto judged = [&]() -> Result<void> {
    CALLVAULT_TRY_ASSIGN(const auto log, journal::Journal::open(folder));
    if (!directory.journal_seed || crypto::signing_public_key(*directory.journal_seed) != log.public_key())
      return fail(Errc::corrupt, "it is of another vault");
    CALLVAULT_TRY_ASSIGN(const auto verified, log.verify(log.public_key(), remembered));
    if (verified.head.size < remembered.size)
      return fail(Errc::corrupt, std::to_string(verified.head.size) + " entries");
    // Without a checkpoint `recover` signs it anew, having compared it with the key state.
    if (!verified.problems.empty() && verified.checkpoint) return fail(Errc::corrupt, verified.problems.front());
    CALLVAULT_TRY_ASSIGN(const auto head, log.head_at(remembered.size));
    if (head != remembered) return fail(Errc::corrupt, "it is another one");
    return {};
  }();
  if (judged) return true;
  why = judged.error().code == Errc::not_found ? "none" : judged.error().message;
  if (judged.error().code == Errc::corrupt || judged.error().code == Errc::not_found) return false;
  return judged.error();
}

Result<void> Restore::choose_journal() {
  std::string here, there;
  CALLVAULT_TRY_ASSIGN(const bool mine, reaches(into_.journal(), here));
  if (mine) return {};
  CALLVAULT_TRY_ASSIGN(report_.journal_from_backup, reaches(from_.journal(), there));
  if (report_.journal_from_backup) return {};
  return fail(Errc::corrupt, "no journal reaches the " + std::to_string(state_->directory().journal_size) +
                                 " entries that the key state remembers (the vault's: " + here +
                                 "; the backup's: " + there + "); nothing was changed");
}

Result<void> Restore::place(const os::Path& path, base::ByteView data) {
  if (!changes()) return {};
  CALLVAULT_TRY(os::place_file(path, data));
  touched_.insert(path.parent_path());
  return {};
}

Result<void> Restore::sync() {
  for (const auto& folder : touched_) CALLVAULT_TRY(os::sync_folder(folder));
  touched_.clear();
  return {};
}

// Nodes and registers by the hash that the directory names: of any generation but that one, no file will do.
Result<void> Restore::bring_key_files() {
  for (const auto& file : key_files_of(state_->directory())) {
    const auto mine = read_key_file(into_, file);
    if (mine) continue;
    const auto theirs = read_key_file(from_, file);
    if (theirs) {
      ++report_.key_files;
      CALLVAULT_TRY(place(into_.keys() / file.name, *theirs));
      continue;
    }
    std::string lost = "keys/" + file.name + " is sound neither in the vault nor in the backup";
    if (file.recordings > 0) lost += ": its " + std::to_string(file.recordings) + " recordings cannot be opened";
    report_.problems.push_back(std::move(lost));
  }
  return {};
}

Result<void> Restore::bring_people() {
  for (const auto& [name, person] : state_->directory().people) {
    const auto mine = os::read_file(into_.people() / name, keys::kMaxIdentityBytes);
    if (mine && keys::inspect_identity(*mine, name)) continue;
    const auto theirs = os::read_file(from_.people() / name, keys::kMaxIdentityBytes);
    if (theirs && keys::inspect_identity(*theirs, name)) {
      ++report_.key_files;
      CALLVAULT_TRY(place(into_.people() / name, *theirs));
    } else {
      report_.problems.push_back("people/" + name + " is sound neither in the vault nor in the backup");
    }
  }
  const auto mine = keys::read_review_public(into_);
  if (mine) return {};
  // An older one would have recorders seal to a key that somebody holds who must not any more.
  const auto theirs = keys::read_review_public(from_);
  if (!theirs || theirs->number < state_->directory().review_number) {
    report_.problems.push_back("keys/review.pub is sound neither in the vault nor, as review key " +
                               std::to_string(state_->directory().review_number) + ", in the backup");
    return {};
  }
  ++report_.key_files;
  const std::string text = keys::encode_review_public(*theirs);
  CALLVAULT_TRY(place(into_.review_public(), base::as_bytes(text)));
  return changes() ? context::share_file(into_.review_public(), manifest_.recorder_group) : Result<void>();
}

// The damaged one is kept beside: it may say what happened.
Result<void> Restore::bring_journal() {
  if (!report_.journal_from_backup) return {};
  if (os::exists(into_.root / "keys" / "pending"))
    report_.problems.push_back("a shred was under way: ask again for an erasure that 'callvault status' does not show");
  if (!changes()) return {};
  if (os::exists(into_.journal())) CALLVAULT_TRY(os::rename_file(into_.journal(), aside(into_.journal())));
  CALLVAULT_TRY_ASSIGN(const auto log, journal::Journal::open(from_.journal()));
  CALLVAULT_TRY(log.copy_to(into_.journal(), state_->directory().journal_size));
  touched_.insert(into_.root);
  return {};
}

Result<keys::Node> Restore::open_node(const keys::Bucket& bucket) const {
  if (bucket.generation == 0) return keys::Node::empty();
  const KeyFile file{"buckets/" + std::to_string(bucket.number) + "." + std::to_string(bucket.generation),
                     bucket.node_hash, keys::kMaxNodeBytes, bucket.recordings};
  auto bytes = read_key_file(into_, file);
  if (!bytes) bytes = read_key_file(from_, file);
  if (!bytes) return std::move(bytes).error();
  return keys::open_node(*bytes, bucket.number, bucket.generation, bucket.node_key);
}

Result<void> Restore::bring_recordings() {
  for (const auto& [number, bucket] : state_->directory().buckets) {
    const auto node = open_node(bucket);
    if (node) CALLVAULT_TRY(bring_bucket(bucket, *node));
  }
  return {};
}

Result<void> Restore::bring_bucket(const keys::Bucket& bucket, const keys::Node& node) {
  for (std::size_t i = 0; i < node.size(); ++i) {
    CALLVAULT_TRY_ASSIGN(const auto row, node.row(i));
    ++report_.recordings;
    known_.insert(row.id);
    for (const auto& track : row.tracks) {
      CALLVAULT_TRY(bring_sealed({row.id, track.name, track.segment, bucket.day, bucket.number, row.in_progress, false},
                                 row, track));
      if (options_.progress) options_.progress(++files_, manifest_.files);
    }
  }
  return {};
}

Result<void> Restore::bring_sealed(const SealedFile& file, const keys::NodeRow& row, const keys::TrackSecret& track) {
  const auto find = [&](const base::Layout& layout) {
    return context::find_sealed_file(layout, file.day, file.id, file.track, file.segment);
  };
  const auto mine = find(into_);
  const auto depth = options_.verify ? context::Depth::every_byte : context::Depth::ends;
  const auto here = mine ? context::check_sealed(*mine, row, track, depth) : Result<void>(mine.error());
  if (here) {
    ++report_.kept_files;
    return {};
  }
  const auto theirs = find(from_);
  const auto there =
      theirs ? context::check_sealed(*theirs, row, track, context::Depth::every_byte) : Result<void>(theirs.error());
  if (!there)
    report_.problems.push_back(file.name() + ": here: " + here.error().message +
                               "; in the backup: " + there.error().message);
  if (!there && (mine || !theirs)) return {};  // what is damaged in both stays as it is
  if (!changes()) {
    ++report_.restored_files;
    report_.restored_bytes += os::size_of(*theirs).has_value() ? *os::size_of(*theirs) : 0;
    return {};
  }
  const os::Path to = mine ? *mine : file.in(into_);
  if (!os::exists(to.parent_path())) {
    CALLVAULT_TRY(os::make_folder(to.parent_path()));
    touched_.insert(to.parent_path().parent_path());
  }
  CALLVAULT_TRY_ASSIGN(const auto copied, os::copy_file(*theirs, to));
  if (copied.unreadable) return *copied.unreadable;
  touched_.insert(to.parent_path());
  ++report_.restored_files;
  report_.restored_bytes += copied.bytes;
  return {};
}

// Finished calls that no node knew when the backup was made. Settling takes them in, or removes what has a tombstone.
Result<void> Restore::bring_incoming() {
  const auto names = os::list_folder(from_.incoming());
  if (!names) return {};
  for (const auto& text : *names) {
    const auto name = sealed::parse_file_name(text);
    if (!name || name->state != sealed::FileState::finished || known_.contains(name->id)) continue;
    const os::Path to = into_.incoming() / text;
    if (os::exists(to)) continue;
    ++report_.restored_files;
    if (!changes()) continue;
    CALLVAULT_TRY_ASSIGN(const auto copied, os::copy_file(from_.incoming() / text, to));
    if (copied.unreadable) return *copied.unreadable;
    touched_.insert(into_.incoming());
    report_.restored_bytes += copied.bytes;
  }
  return {};
}

Result<void> Restore::bring_directory() {
  if (!report_.keys_from_backup || !changes()) return {};
  CALLVAULT_TRY_ASSIGN(const auto file, os::read_file(from_.directory(), keys::kMaxDirectoryBytes));
  return os::replace_file(into_.directory(), file);
}

// Last: in an empty folder this file is what makes it a vault.
Result<void> Restore::bring_config() {
  if (keys::read_config(into_.config())) return {};
  CALLVAULT_TRY_ASSIGN(const auto text, os::read_file(from_.config(), kMaxSmallFileBytes));
  CALLVAULT_TRY(keys::parse_config(base::as_text(text)));
  if (!changes()) return {};
  CALLVAULT_TRY(os::replace_file(into_.config(), text));
  CALLVAULT_TRY(context::share_file(into_.config(), manifest_.recorder_group));
  return os::sync_folder(into_.root);
}

Result<void> Restore::run() {
  if (changes()) {
    CALLVAULT_TRY(context::make_folders(into_, manifest_.recorder_group));
    if (!state_->directory().registers.empty()) CALLVAULT_TRY(os::make_folder(into_.registers()));
    touched_.insert({into_.root, into_.keys()});
  }
  CALLVAULT_TRY(bring_key_files());
  CALLVAULT_TRY(bring_people());
  CALLVAULT_TRY(bring_journal());
  CALLVAULT_TRY(bring_recordings());
  CALLVAULT_TRY(bring_incoming());
  CALLVAULT_TRY(sync());
  CALLVAULT_TRY(bring_directory());
  return bring_config();
}

}  // namespace callvault::backups
