#include "backups/backup.h"

#include <algorithm>
#include <map>

#include "context/sealed_files.h"
#include "os/copy.h"
#include "os/presence.h"
#include "sealed/names.h"

namespace callvault::backups {
namespace {

constexpr std::uint64_t kMaxSmallBytes = std::uint64_t{1} << 20;

Result<std::set<std::string>> names_of(const os::Path& folder) {
  const auto names = os::list_folder(folder);
  if (!names && names.error().code == Errc::not_found) return std::set<std::string>();
  if (!names) return names.error();
  return std::set<std::string>(names->begin(), names->end());
}

}  // namespace

// True when the copy is there. Sealed files never change, so the name and the size tell.
Result<bool> Backup::is_there(const os::Path& source, const os::Path& copy) const {
  const auto has = os::size_of(copy);
  if (!has) return has.error().code == Errc::not_found ? Result<bool>(false) : Result<bool>(has.error());
  if (options_.verify) return os::same_content(source, copy);
  CALLVAULT_TRY_ASSIGN(const auto wanted, os::size_of(source));
  return wanted == *has;
}

Result<void> Backup::copy(const os::Path& source, const os::Path& copy, bool& done) {
  CALLVAULT_TRY(target_.make_folder(copy.parent_path()));
  CALLVAULT_TRY_ASSIGN(const auto copied, os::copy_file(source, copy));
  if (copied.unreadable) {
    done = false;
    return {};
  }
  target_.touch(copy.parent_path());
  ++report_.copied_files;
  report_.copied_bytes += copied.bytes;
  done = true;
  return {};
}

// Whatever is not as simple as that waits for `finish`.
Result<void> Backup::bring(SealedFile& file) {
  if (file.in_progress) return {};
  const auto source = context::find_sealed_file(from_, file.day, file.id, file.track, file.segment);
  if (!source) return {};
  const os::Path copy = file.in(target_.layout());
  if (os::exists(copy)) {
    const auto there = is_there(*source, copy);
    file.done = there && *there;
    return {};
  }
  return this->copy(*source, copy, file.done);
}

Result<void> Backup::copy_sealed(Inventory inventory) {
  std::uint64_t count = 0;
  for (auto& file : inventory.files) {
    // What an earlier round has brought needs no second look.
    const SealedFile* known = inventory_.find(file);
    file.done = known != nullptr && known->done;
    if (!file.done) CALLVAULT_TRY(bring(file));
    if (options_.progress) options_.progress(++count, inventory.files.size());
  }
  inventory_ = std::move(inventory);
  return {};
}

// A file that is missing here, damaged here, or damaged in the backup: the sound one of the two is kept, and a sound
// copy is never exchanged for a damaged file.
Result<void> Backup::judge(context::Context& context, SealedFile& file) {
  CALLVAULT_TRY_ASSIGN(const auto node, context.state.open_node(file.bucket));
  CALLVAULT_TRY_ASSIGN(const auto row, node.find(file.id));
  if (!row) return fail(Errc::unexpected, "a recording left its node while the lock was held");
  const auto track = std::find_if(row->tracks.begin(), row->tracks.end(), [&](const keys::TrackSecret& t) {
    return t.name == file.track && t.segment == file.segment;
  });
  if (track == row->tracks.end()) return fail(Errc::unexpected, "a track left its node while the lock was held");
  const auto sound = [&](const os::Path& path) {
    return context::check_sealed(path, *row, *track, context::Depth::every_byte);
  };
  const os::Path copy = file.in(target_.layout());
  const auto source = context::find_sealed_file(from_, file.day, file.id, file.track, file.segment);
  const auto here = source ? sound(*source) : Result<void>(source.error());
  if (here || (source && !os::exists(copy))) CALLVAULT_TRY(this->copy(*source, copy, file.done));
  if (here && file.done) return {};
  const Error why = here ? fail(Errc::io, "it could not be copied") : here.error();
  file.done = os::exists(copy);
  report_.problems.push_back(
      file.name() + ": " + why.message +
      (file.done && sound(copy) ? "; the backup holds it whole: restore it" : "; the backup has no sound copy either"));
  return {};
}

Result<void> Backup::copy_incoming() {
  CALLVAULT_TRY_ASSIGN(const auto names, os::list_folder(from_.incoming()));
  for (const auto& text : names) {
    const auto name = sealed::parse_file_name(text);
    if (!name || name->state == sealed::FileState::fresh) continue;
    if (name->state == sealed::FileState::part) {
      ++report_.in_progress;
      continue;
    }
    incoming_.insert(text);
    ++report_.unsettled;
    const os::Path source = from_.incoming() / text, copy = target_.layout().incoming() / text;
    const auto there = is_there(source, copy);
    if (there && *there) continue;
    bool done = false;
    CALLVAULT_TRY(this->copy(source, copy, done));
    if (!done && os::may_exist(source)) report_.problems.push_back("incoming/" + text + " cannot be read");
  }
  return {};
}

Result<void> Backup::copy_key_files(const keys::Directory& directory, Manifest& manifest) {
  for (const auto& file : key_files_of(directory)) {
    const auto before = target_.manifest().key_files.find(file.name);
    const os::Path copy = target_.layout().keys() / file.name;
    if (before != target_.manifest().key_files.end() && before->second == file.hash && !options_.verify &&
        os::exists(copy)) {
      manifest.key_files.emplace(file.name, file.hash);
      continue;
    }
    const auto bytes = read_key_file(from_, file);
    if (bytes) {
      CALLVAULT_TRY(target_.put(copy, *bytes));
      manifest.key_files.emplace(file.name, file.hash);
    } else if (read_key_file(target_.layout(), file)) {
      report_.problems.push_back(bytes.error().message + "; the backup holds keys/" + file.name + ": restore it");
      manifest.key_files.emplace(file.name, file.hash);
    } else {
      report_.problems.push_back(bytes.error().message + "; the backup has no sound copy either");
    }
  }
  return {};
}

Result<void> Backup::copy_small(const context::Context& context) {
  const auto& to = target_.layout();
  std::vector<std::pair<os::Path, os::Path>> files{{from_.config(), to.config()},
                                                   {from_.review_public(), to.review_public()}};
  for (const auto& [id, key] : context.state.directory().intake)
    files.emplace_back(from_.intake() / std::to_string(id), to.intake() / std::to_string(id));
  CALLVAULT_TRY_ASSIGN(const auto people, os::list_folder(from_.people()));
  for (const auto& name : people)
    if (context.state.directory().people.contains(name)) files.emplace_back(from_.people() / name, to.people() / name);
  for (const auto& [source, copy] : files) {
    const auto bytes = os::read_file(source, kMaxSmallBytes);
    if (bytes)
      CALLVAULT_TRY(target_.put(copy, *bytes));
    else
      report_.problems.push_back(bytes.error().message);
  }
  return {};
}

Result<void> Backup::finish(context::Context& context) {
  const auto& directory = context.state.directory();
  const auto& journal = context.log.journal();
  CALLVAULT_TRY(journal.require_checkpoint());
  CALLVAULT_TRY_ASSIGN(const auto directory_file, os::read_file(from_.directory(), keys::kMaxDirectoryBytes));
  CALLVAULT_TRY(copy_sealed(take_inventory(context.state)));
  for (const auto& problem : inventory_.problems)
    report_.problems.push_back(problem + "; what the backup holds of it stays there: restore it");
  for (auto& file : inventory_.files)
    if (!file.done && !file.in_progress) CALLVAULT_TRY(judge(context, file));
  CALLVAULT_TRY(copy_incoming());
  Manifest manifest{
      journal.origin(), true, context.now, directory.epoch, 0, crypto::blake2b(directory_file), 0, {}, {}};
  CALLVAULT_TRY(copy_key_files(directory, manifest));
  CALLVAULT_TRY(copy_small(context));
  CALLVAULT_TRY_ASSIGN(manifest.journal_size, journal.copy_to(target_.layout().journal(), directory.journal_size));
  CALLVAULT_TRY_ASSIGN(const auto group, os::group_with_access(from_.incoming()));
  manifest.recorder_group = group.value_or("");
  for (const auto& file : inventory_.files) manifest.files += file.done ? 1 : 0;
  report_.epoch = directory.epoch;
  report_.journal_size = manifest.journal_size;
  report_.files = manifest.files;
  return target_.commit(directory_file, std::move(manifest));
}

Result<void> Backup::prune_folder(const os::Path& folder, const Wanted& wanted) {
  CALLVAULT_TRY_ASSIGN(const auto names, names_of(folder));
  for (const auto& name : names) {
    if (wanted(name)) continue;
    CALLVAULT_TRY(os::remove_file(folder / name));
    target_.touch(folder);
    ++report_.removed_files;
  }
  return {};
}

Result<void> Backup::prune() {
  const auto& to = target_.layout();
  const auto among = [](const std::set<std::string>& names) {
    return [&names](const std::string& name) { return names.contains(name); };
  };
  CALLVAULT_TRY(prune_folder(to.incoming(), among(incoming_)));
  if (!inventory_.problems.empty()) return target_.sync();  // what cannot be read may name them
  CALLVAULT_TRY_ASSIGN(const auto days, names_of(to.recordings()));
  for (const auto& day : days) {
    CALLVAULT_TRY(prune_folder(to.recordings() / day, [&](const std::string& text) {
      const auto name = sealed::parse_file_name(text);
      if (!name || name->state != sealed::FileState::finished) return false;
      const SealedFile* known = inventory_.find({name->id, name->track, name->segment});
      return known != nullptr && base::day_text(known->day) == day;
    }));
    CALLVAULT_TRY_ASSIGN(const auto left, names_of(to.recordings() / day));
    if (left.empty()) CALLVAULT_TRY(os::remove_folder(to.recordings() / day));
    if (left.empty()) target_.forget(to.recordings() / day);
  }
  std::map<std::string, std::set<std::string>> kept;
  for (const auto& [name, hash] : target_.manifest().key_files) {
    const auto slash = name.find('/');
    kept[name.substr(0, slash)].insert(name.substr(slash + 1));
  }
  CALLVAULT_TRY(prune_folder(to.buckets(), among(kept["buckets"])));
  CALLVAULT_TRY(prune_folder(to.registers(), among(kept["registers"])));
  for (const auto& [source, copy] : {std::pair{from_.people(), to.people()}, std::pair{from_.intake(), to.intake()}}) {
    CALLVAULT_TRY_ASSIGN(const auto names, names_of(source));
    CALLVAULT_TRY(prune_folder(copy, among(names)));
  }
  return target_.sync();
}

}  // namespace callvault::backups
