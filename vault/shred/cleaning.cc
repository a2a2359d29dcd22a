#include "shred/cleaning.h"

#include <algorithm>
#include <map>
#include <set>

#include "context/rows.h"
#include "context/tombstones.h"
#include "sealed/names.h"

namespace callvault::shred {
namespace {

// A day's folder that is empty then goes too: one sync of its parent makes that durable for all of them, where a sync
// of each would take most of the time.
Result<void> remove_recordings(const context::Context& context, const std::vector<Doomed>& doomed,
                               const Progress& progress) {
  std::map<std::int32_t, os::Path> folders;
  std::uint64_t done = 0;
  for (const auto& d : doomed) {
    auto& folder = folders[d.day];
    if (folder.empty()) folder = context::recording_folder(context.layout, d.day);
    for (const auto& t : d.tracks)
      CALLVAULT_TRY(os::remove_file(folder / base::sealed_file_name(d.id, t.first, t.second)));
    if (progress) progress(++done, doomed.size());
  }
  bool emptied = false;
  for (const auto& [day, folder] : folders) {
    CALLVAULT_TRY_ASSIGN(const bool gone, os::remove_if_empty(folder));
    emptied = emptied || gone;
    if (!gone) CALLVAULT_TRY(os::sync_folder(folder));
  }
  return emptied && os::exists(context.layout.recordings()) ? os::sync_folder(context.layout.recordings())
                                                            : Result<void>();
}

// Whatever is finished goes, known to the node or not. What a recorder still writes is opened by nobody; it was asked
// to end, and settling removes the rest.
Result<void> remove_incoming(const base::Layout& layout, const std::vector<Doomed>& doomed) {
  std::map<RecordingId, const Doomed*> by_id;
  for (const auto& d : doomed) by_id.emplace(d.id, &d);
  CALLVAULT_TRY_ASSIGN(const auto names, os::list_folder(layout.incoming()));
  std::set<RecordingId> asked, written;
  bool removed = false;
  for (const auto& text : names) {
    const auto name = sealed::parse_file_name(text);
    const auto it = name ? by_id.find(name->id) : by_id.end();
    if (it == by_id.end()) continue;
    if (name->state == sealed::FileState::part) written.insert(name->id);
    // A header that was never complete: its recorder met a failing disk. One that is still at work was asked to end.
    const bool never_begun = name->state == sealed::FileState::fresh && it->second->whole;
    if (!never_begun && (name->state != sealed::FileState::finished || !it->second->takes(name->track))) continue;
    CALLVAULT_TRY(os::remove_file(layout.incoming() / text));
    removed = true;
  }
  for (const auto& d : doomed) {
    if (!d.whole) continue;
    const os::Path stop = layout.incoming() / sealed::stop_file_name(d.id);
    if (written.contains(d.id))
      CALLVAULT_TRY(os::File::open_or_create(stop));
    else
      for (const auto& control : sealed::control_file_names(d.id))
        if (std::binary_search(names.begin(), names.end(), control))
          CALLVAULT_TRY(os::remove_file(layout.incoming() / control));
  }
  // One party's file that came back after a power cut would be taken for a new one, and nobody could open it.
  return removed ? os::sync_folder(layout.incoming()) : Result<void>();
}

Result<void> renew_index(const context::Context& context, const std::vector<Doomed>& doomed) {
  std::set<std::uint32_t> buckets;
  for (const auto& d : doomed) buckets.insert(d.bucket);
  std::vector<std::uint32_t> rewritten, dropped;
  for (const auto number : buckets)
    (context.state.directory().buckets.contains(number) ? rewritten : dropped).push_back(number);
  CALLVAULT_TRY(context.catalog.drop_buckets(dropped));
  return context::rebuild_rows(context, rewritten);
}

Result<void> journal_end(context::Context& context, const std::vector<Doomed>& doomed, std::uint64_t epoch) {
  std::vector<journal::Entry> entries;
  std::uint64_t whole = 0;
  for (const auto& d : doomed) {
    if (d.whole) {
      ++whole;
      const Tombstone tombstone{d.id, base::day_text(d.day), d.duration_s, d.reason, {}, epoch, 0};
      CALLVAULT_TRY_ASSIGN(auto entry, context::encode_tombstone(context.log, tombstone));
      entries.push_back(std::move(entry));
      continue;
    }
    for (const TrackName name : d.names()) {
      CALLVAULT_TRY_ASSIGN(auto entry, context.log.entry("track_shredded", {{"id", d.id.text()},
                                                                            {"track", std::string(to_word(name))},
                                                                            {"reason", d.reason}}));
      entries.push_back(std::move(entry));
    }
  }
  std::map<std::string, std::string> facts{{"epoch", std::to_string(epoch)}, {"recordings", std::to_string(whole)}};
  if (!keys::forgotten_before(context.state.directory(), epoch)) facts.emplace("final", "no");  // a mirror is behind
  CALLVAULT_TRY_ASSIGN(auto done, context.log.entry(kDoneEvent, std::move(facts)));
  entries.push_back(std::move(done));
  CALLVAULT_TRY(context.log.append(entries));
  return {};
}

}  // namespace

Result<void> clean(context::Context& context, const std::vector<Doomed>& doomed, std::uint64_t epoch, bool journalled,
                   const Progress& progress) {
  CALLVAULT_TRY(remove_recordings(context, doomed, progress));
  CALLVAULT_TRY(remove_incoming(context.layout, doomed));
  CALLVAULT_TRY(context.state.remove_superseded());
  CALLVAULT_TRY(renew_index(context, doomed));
  if (!journalled) CALLVAULT_TRY(journal_end(context, doomed, epoch));
  // From here on a journal without these tombstones is not this vault's.
  CALLVAULT_TRY(context.log.pin_head());
  CALLVAULT_TRY(context.state.commit());
  CALLVAULT_TRY(context::take_tombstones(context));
  return clear_pending(context.layout);
}

}  // namespace callvault::shred
