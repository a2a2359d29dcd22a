#include "shred/retirement.h"

#include <algorithm>
#include <thread>

#include "sealed/names.h"
#include "sealed/reader.h"

namespace callvault::shred {
namespace {

using SteadyClock = std::chrono::steady_clock;
using KeysById = std::map<RecordingId, std::set<std::uint32_t>>;

// For the locks of keys that no victim is known to need: a recorder holds one for as long as a header takes.
constexpr std::chrono::milliseconds kShortPatience{500};

// The intake keys that the targets' headers in incoming/ name; `all` when a header cannot be read any more, since an
// old copy of it may still be.
Result<KeysById> unsettled_keys(const base::Layout& layout, const std::vector<Target>& targets,
                                const std::set<std::uint32_t>& all) {
  std::set<RecordingId> wanted;
  for (const Target& target : targets) wanted.insert(target.id);
  KeysById out;
  CALLVAULT_TRY_ASSIGN(const auto names, os::list_folder(layout.incoming()));
  for (const auto& text : names) {
    const auto name = sealed::parse_file_name(text);
    if (!name || !wanted.contains(name->id)) continue;
    const auto reader = sealed::Reader::open(layout.incoming() / text);
    if (reader) {
      out[name->id].insert(reader->header().intake_key);
      continue;
    }
    const Errc code = reader.error().code;
    if (code == Errc::not_found) continue;  // a recorder has just finished it; its row names the key
    if (code == Errc::io) return reader.error();
    out[name->id].insert(all.begin(), all.end());
  }
  return out;
}

std::set<std::uint32_t> ids_of(const std::map<std::uint32_t, keys::IntakePrivate>& intake) {
  std::set<std::uint32_t> out;
  for (const auto& item : intake) out.insert(item.first);
  return out;
}

// An empty file appears at once, under its name. Not synced: a power cut ends the recorder, too.
Result<void> ask_to_end(const base::Layout& layout, const RecordingId& id) {
  CALLVAULT_TRY(os::File::open_or_create(layout.incoming() / sealed::stop_file_name(id)));
  return {};
}

// Nothing when a recorder holds the key for too long.
Result<std::optional<os::File>> lock_key(const base::Layout& layout, std::uint32_t id, SteadyClock::time_point until) {
  auto file = os::File::open_read(layout.intake() / std::to_string(id));
  // Never published (a crash came in between), or gone already: no recorder can hold it.
  if (!file && file.error().code == Errc::not_found) return std::optional<os::File>(os::File());
  if (!file) return std::move(file).error();
  while (true) {
    CALLVAULT_TRY_ASSIGN(const bool mine, file->try_lock_exclusive());
    if (mine) return std::optional<os::File>(std::move(*file));
    if (SteadyClock::now() >= until) return std::optional<os::File>();
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
}

}  // namespace

Result<Retirement> Retirement::run(context::Context& context, const std::vector<Target>& targets,
                                   const Options& options) {
  Retirement out;
  const auto& intake = context.state.directory().intake;
  const std::set<std::uint32_t> present = ids_of(intake);
  CALLVAULT_TRY_ASSIGN(out.unsettled_, unsettled_keys(context.layout, targets, present));
  std::set<std::uint32_t> wanted;
  if (options.retire_all_intake) wanted = present;
  for (const auto& item : out.unsettled_) wanted.insert(item.second.begin(), item.second.end());
  std::optional<keys::Node> node;
  for (std::size_t i = 0; i < targets.size(); ++i) {
    if (i == 0 || targets[i].bucket != targets[i - 1].bucket) {
      node.reset();  // its memory is locked, and that is scarce
      CALLVAULT_TRY_ASSIGN(node, context.state.open_node(targets[i].bucket));
    }
    CALLVAULT_TRY_ASSIGN(const auto row, node->find(targets[i].id));
    if (!row) continue;
    wanted.insert(row->intake.begin(), row->intake.end());
    if (was_asked_for(targets[i].reason)) out.asked_.insert(targets[i].id);
    if (!row->in_progress) continue;
    out.live_.insert(targets[i].id);
    // Before the next key can be seen: a recorder that begins a segment looks for this file after it has its key, so
    // what is sealed to the next key is never a victim. One that has the present key already is waited for below.
    CALLVAULT_TRY(ask_to_end(context.layout, targets[i].id));
    if (!present.empty()) wanted.insert(*present.rbegin());
  }
  node.reset();
  std::erase_if(wanted, [&](std::uint32_t id) { return !present.contains(id); });
  const std::set<std::uint32_t> named = wanted;
  if (!out.asked_.empty()) out.any_ = present;
  wanted.insert(out.any_.begin(), out.any_.end());
  if (wanted.empty()) return out;

  // Recorders take the newest: only when that one goes they need another.
  std::optional<std::uint32_t> next;
  if (wanted.contains(*present.rbegin())) {
    CALLVAULT_TRY_ASSIGN(next, context.state.add_intake(context.now));
  }
  // Whatever ends this before the intent is written: an accepted erasure is not forgotten.
  for (const Target& target : targets)
    if (was_asked_for(target.reason)) put_off(context.state.edit(), target);
  CALLVAULT_TRY(context.state.commit());
  if (next) CALLVAULT_TRY(context.state.publish_intake(*next));
  const auto now = SteadyClock::now();
  const auto until = now + options.intake_patience, soon = now + std::min(options.intake_patience, kShortPatience);
  std::vector<std::uint32_t> locked;
  for (const auto id : wanted) {
    CALLVAULT_TRY_ASSIGN(auto lock, lock_key(context.layout, id, named.contains(id) ? until : soon));
    if (!lock) continue;
    out.locks_.push_back(std::move(*lock));
    locked.push_back(id);
  }
  context.state.use_spare(false);  // settling may want any number of nodes
  CALLVAULT_TRY_ASSIGN(const auto needed, options.settle_everything());
  context.state.use_spare(true);
  for (const auto id : locked)
    if (std::find(needed.begin(), needed.end(), id) == needed.end()) out.retired_.push_back(id);
  // Again: what came until the keys were locked counts, too.
  CALLVAULT_TRY_ASSIGN(out.unsettled_, unsettled_keys(context.layout, targets, present));
  return out;
}

bool Retirement::blocks(const keys::Directory& directory, const keys::NodeRow& row) const {
  const auto stays = [&](std::uint32_t id) {
    return directory.intake.contains(id) && std::find(retired_.begin(), retired_.end(), id) == retired_.end();
  };
  const auto it = unsettled_.find(row.id);
  const bool had_trouble =
      asked_.contains(row.id) &&
      (row.flags.interrupted || live_.contains(row.id) ||
       std::any_of(row.tracks.begin(), row.tracks.end(), [](const auto& track) { return track.segment > 0; }));
  return (had_trouble && std::any_of(any_.begin(), any_.end(), stays)) ||
         std::any_of(row.intake.begin(), row.intake.end(), stays) ||
         (it != unsettled_.end() && std::any_of(it->second.begin(), it->second.end(), stays));
}

}  // namespace callvault::shred
