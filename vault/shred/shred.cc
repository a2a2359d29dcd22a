#include "shred/shred.h"

#include <algorithm>
#include <chrono>
#include <set>
#include <thread>

#include "context/rows.h"
#include "context/tombstones.h"
#include "retention/plan.h"
#include "sealed/names.h"
#include "shred/intent.h"

namespace callvault::shred {
namespace {

using keys::NodeRow;
using SteadyClock = std::chrono::steady_clock;

// A recorder holds its intake key only until its header is durable. One that stalls longer delays only the shred of
// recordings sealed to that key.
constexpr std::chrono::seconds kIntakePatience{5};

double ms_since(SteadyClock::time_point start) {
  return std::chrono::duration<double, std::milli>(SteadyClock::now() - start).count();
}

// Step 7, also for recovery: the files, the superseded nodes, the index rows, the tombstones.
Result<void> clean(context::Context& context, const std::vector<Doomed>& doomed, std::uint64_t epoch) {
  std::set<os::Path> folders;
  std::set<std::uint32_t> buckets;
  for (const auto& d : doomed) {
    buckets.insert(d.bucket);
    const os::Path folder = context::recording_folder(context.layout, d.day);
    bool in_incoming = false;
    for (const auto& [name, segment] : d.tracks) {
      const std::string file = base::sealed_file_name(d.id, name, segment);
      CALLVAULT_TRY_ASSIGN(const bool was_there, os::remove_file(folder / file));
      if (was_there) folders.insert(folder);
      CALLVAULT_TRY(os::remove_file(context.layout.incoming() / file));
      in_incoming = in_incoming || os::exists(context.layout.incoming() / (file + ".part"));
    }
    // A live call: its recorder is asked to end; what it still writes is opened by nobody, and settling removes it.
    if (in_incoming && d.whole)
      CALLVAULT_TRY(os::replace_derived_file(context.layout.incoming() / sealed::stop_file_name(d.id), {}));
  }
  for (const auto& folder : folders) {
    CALLVAULT_TRY(os::sync_folder(folder));
    CALLVAULT_TRY_ASSIGN(const auto left, os::list_folder(folder));
    if (left.empty()) CALLVAULT_TRY(os::remove_folder(folder));
  }
  CALLVAULT_TRY(context.state.remove_superseded());
  for (const auto number : buckets) {
    const auto it = context.state.directory().buckets.find(number);
    if (it == context.state.directory().buckets.end())
      CALLVAULT_TRY(context.catalog.drop_bucket(number));
    else
      CALLVAULT_TRY(context::rebuild_rows(context, it->second));
  }
  std::vector<journal::Entry> entries;
  std::uint64_t whole = 0;
  for (const auto& d : doomed) {
    if (!d.whole) {
      CALLVAULT_TRY_ASSIGN(auto entry,
                           context.log.entry("track_shredded", {{"id", d.id.text()},
                                                                {"track", std::string(to_word(d.tracks.front().first))},
                                                                {"reason", d.reason}}));
      entries.push_back(std::move(entry));
      continue;
    }
    ++whole;
    CALLVAULT_TRY_ASSIGN(
        auto entry, context::encode_tombstone(
                        context.log, Tombstone{d.id, base::day_text(d.day), d.duration_s, d.reason, {}, epoch, 0}));
    entries.push_back(std::move(entry));
  }
  CALLVAULT_TRY_ASSIGN(auto done, context.log.entry(kDoneEvent, {{"epoch", std::to_string(epoch)},
                                                                 {"recordings", std::to_string(whole)}}));
  entries.push_back(std::move(done));
  CALLVAULT_TRY(context.log.append(entries));
  CALLVAULT_TRY(context::take_tombstones(context));
  return clear_pending(context.layout);
}

class Shredding {
 public:
  Shredding(context::Context& context, std::vector<Victim> victims, const Options& options)
      : context_(context), victims_(std::move(victims)), options_(options) {}

  Result<Report> run() {
    CALLVAULT_TRY(retire_intake());
    CALLVAULT_TRY(defer_outstanding());
    const auto start = SteadyClock::now();
    CALLVAULT_TRY(doom());
    report_.epoch = context_.state.directory().epoch;
    if (doomed_.empty() && retired_.empty()) return report_;
    CALLVAULT_TRY(write_intent(context_, doomed_, context_.state.directory().epoch + 1));
    CALLVAULT_TRY(retain());
    CALLVAULT_TRY(context_.log.pin_head());
    CALLVAULT_TRY(context_.state.stage_root());
    CALLVAULT_TRY(context_.state.commit_rotation());
    CALLVAULT_TRY(context_.state.forget_old());
    CALLVAULT_TRY(verify_gone());
    report_.irrecoverable_ms = ms_since(start);
    report_.epoch = context_.state.directory().epoch;
    for (const auto id : retired_) CALLVAULT_TRY(os::remove_file(context_.layout.intake() / std::to_string(id)));
    CALLVAULT_TRY(clean(context_, doomed_, report_.epoch));
    report_.cleaned_ms = ms_since(start);
    report_.intake_retired = retired_.size();
    return report_;
  }

 private:
  // Step 0. An intake key that can still open a victim's header must go with it.
  Result<void> retire_intake() {
    std::set<std::uint32_t> wanted;
    const auto& intake = context_.state.directory().intake;
    if (options_.retire_all_intake)
      for (const auto& [id, key] : intake) wanted.insert(id);
    for (const auto& victim : victims_) {
      CALLVAULT_TRY_ASSIGN(const keys::Node* node, node_of(victim.bucket));
      CALLVAULT_TRY_ASSIGN(const auto row, node->find(victim.id));
      if (!row) continue;
      for (const auto id : row->intake)
        if (intake.contains(id)) wanted.insert(id);
    }
    nodes_.clear();
    if (wanted.empty()) return {};
    CALLVAULT_TRY_ASSIGN(const auto next, context_.state.add_intake(context_.now));
    CALLVAULT_TRY(context_.state.commit());
    CALLVAULT_TRY(context_.state.publish_intake(next));
    const auto deadline = SteadyClock::now() + kIntakePatience;
    std::vector<std::uint32_t> locked;
    for (const auto id : wanted) {
      CALLVAULT_TRY_ASSIGN(const bool mine, lock_intake(id, deadline));
      if (mine) locked.push_back(id);
    }
    CALLVAULT_TRY_ASSIGN(const auto needed, options_.settle_everything());
    for (const auto id : locked) {
      if (std::find(needed.begin(), needed.end(), id) != needed.end()) continue;
      retired_.push_back(id);
    }
    return {};
  }

  Result<bool> lock_intake(std::uint32_t id, SteadyClock::time_point deadline) {
    auto file = os::File::open_read(context_.layout.intake() / std::to_string(id));
    // Never published (a crash came in between), or gone already: no recorder can hold it.
    if (!file && file.error().code == Errc::not_found) return true;
    if (!file) return std::move(file).error();
    while (true) {
      CALLVAULT_TRY_ASSIGN(const bool mine, file->try_lock_exclusive());
      if (mine) {
        intake_locks_.push_back(std::move(*file));
        return true;
      }
      if (SteadyClock::now() >= deadline) return false;
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
  }

  // Victims whose intake key stays are kept as outstanding: the next purge tries again.
  Result<void> defer_outstanding() {
    auto& directory = context_.state.edit();
    bool edited = false;
    std::vector<Victim> now;
    for (auto& victim : victims_) {
      CALLVAULT_TRY_ASSIGN(const keys::Node* node, node_of(victim.bucket));
      CALLVAULT_TRY_ASSIGN(const auto row, node->find(victim.id));
      if (!row) continue;
      const bool blocked = std::any_of(row->intake.begin(), row->intake.end(), [&](std::uint32_t id) {
        return directory.intake.contains(id) && std::find(retired_.begin(), retired_.end(), id) == retired_.end();
      });
      if (!blocked) {
        now.push_back(std::move(victim));
        continue;
      }
      report_.outstanding.push_back(victim.id);
      const auto same = [&](const keys::Outstanding& o) { return o.id == victim.id; };
      if (std::none_of(directory.outstanding.begin(), directory.outstanding.end(), same)) {
        directory.outstanding.push_back({victim.id, victim.reason});
        edited = true;
      }
    }
    victims_ = std::move(now);
    return edited ? context_.state.commit() : Result<void>();
  }

  Result<void> doom() {
    for (const auto& victim : victims_) {
      CALLVAULT_TRY_ASSIGN(const keys::Node* node, node_of(victim.bucket));
      CALLVAULT_TRY_ASSIGN(const auto row, node->find(victim.id));
      if (!row) continue;
      Doomed d{victim.id,
               victim.bucket,
               context_.state.directory().buckets.at(victim.bucket).day,
               row->duration_s,
               victim.reason,
               true,
               {}};
      const bool others = std::any_of(row->tracks.begin(), row->tracks.end(),
                                      [&](const auto& t) { return victim.track && t.name != *victim.track; });
      d.whole = !others;
      for (const auto& t : row->tracks)
        if (d.whole || t.name == *victim.track) d.tracks.emplace_back(t.name, t.segment);
      if (d.tracks.empty() && !d.whole) continue;
      doomed_.push_back(std::move(d));
      by_bucket_[victim.bucket][victim.id] = &victim;
    }
    nodes_.clear();
    return {};
  }

  // Step 2: the survivors of each bucket under fresh keys. A bucket without survivors is dropped.
  Result<void> retain() {
    auto& directory = context_.state.edit();
    for (const auto& [number, doomed] : by_bucket_) {
      CALLVAULT_TRY_ASSIGN(const auto node, context_.state.open_node(number));
      CALLVAULT_TRY_ASSIGN(auto rows, node.rows());
      for (auto& row : rows) {
        const auto it = doomed.find(row.id);
        if (it == doomed.end() || !it->second->track) continue;
        std::erase_if(row.tracks, [&](const auto& t) { return t.name == *it->second->track; });
      }
      std::erase_if(rows, [&](const NodeRow& row) {
        const auto it = doomed.find(row.id);
        return it != doomed.end() && (!it->second->track || row.tracks.empty());
      });
      keys::Bucket& bucket = directory.buckets.at(number);
      CALLVAULT_TRY_ASSIGN(bucket.index_key, crypto::Key::random());
      (rows.empty() ? report_.buckets_dropped : report_.buckets_rewritten) += 1;
      CALLVAULT_TRY(context_.state.stage_node(bucket, rows));
    }
    for (const auto id : retired_) directory.intake.erase(id);
    std::set<RecordingId> gone;
    for (const auto& d : doomed_) gone.insert(d.id);
    std::erase_if(directory.outstanding, [&](const keys::Outstanding& o) { return gone.contains(o.id); });
    report_.shredded = doomed_.size();
    return {};
  }

  // Step 6, from what is on disk now: the keeper has one root, and nothing it opens knows a victim.
  Result<void> verify_gone() {
    CALLVAULT_TRY_ASSIGN(const auto slots, context_.state.keeper().read());
    CALLVAULT_TRY_ASSIGN(const auto fresh,
                         keys::KeyState::load(context_.layout, context_.state.keeper(), keys::KeyState::Access::look));
    bool gone = slots.size() == 1 && slots.front().epoch == fresh.directory().epoch;
    for (const auto id : retired_) gone = gone && !fresh.directory().intake.contains(id);
    for (const auto& [number, doomed] : by_bucket_) {
      if (!fresh.directory().buckets.contains(number)) continue;
      CALLVAULT_TRY_ASSIGN(const auto node, fresh.open_node(number));
      for (const auto& [id, victim] : doomed) {
        CALLVAULT_TRY_ASSIGN(const auto row, node.find(id));
        if (row && (!victim->track || std::any_of(row->tracks.begin(), row->tracks.end(),
                                                  [&](const auto& t) { return t.name == *victim->track; })))
          gone = false;
      }
    }
    if (!gone) return fail(Errc::unexpected, "a shredded recording can still be reached; the shred stays pending");
    return {};
  }

  Result<const keys::Node*> node_of(std::uint32_t bucket) {
    auto it = nodes_.find(bucket);
    if (it == nodes_.end()) {
      // One opened node at a time: its memory is locked, and that is scarce.
      nodes_.clear();
      CALLVAULT_TRY_ASSIGN(auto node, context_.state.open_node(bucket));
      it = nodes_.emplace(bucket, std::move(node)).first;
    }
    return &it->second;
  }

  context::Context& context_;
  std::vector<Victim> victims_;
  const Options& options_;
  Report report_;
  std::map<std::uint32_t, keys::Node> nodes_;
  std::vector<std::uint32_t> retired_;
  std::vector<os::File> intake_locks_;
  std::vector<Doomed> doomed_;
  std::map<std::uint32_t, std::map<RecordingId, const Victim*>> by_bucket_;
};

}  // namespace

Result<Report> run(context::Context& context, std::vector<Victim> victims, const Options& options) {
  std::sort(victims.begin(), victims.end(),
            [](const Victim& a, const Victim& b) { return std::tie(a.bucket, a.id) < std::tie(b.bucket, b.id); });
  return Shredding(context, std::move(victims), options).run();
}

bool is_pending(const base::Layout& layout) { return os::exists(pending_path(layout)); }

Result<Finished> finish_pending(context::Context& context) {
  auto pending = read_pending(context);
  if (!pending && pending.error().code == Errc::not_found) return Finished{};
  if (!pending) return std::move(pending).error();
  if (pending->next_epoch != 0 && context.state.directory().epoch >= pending->next_epoch) {
    CALLVAULT_TRY(clean(context, pending->doomed, pending->next_epoch));
    return Finished{1, 0};
  }
  // Before the commit: nothing was taken away. What a person asked for stays asked for; what is merely due is planned
  // again against present holds.
  auto& directory = context.state.edit();
  for (const auto& d : pending->doomed) {
    if (!d.whole || d.reason == retention::kPeriodOver || d.reason == retention::kPendingTooLong) continue;
    const auto same = [&](const keys::Outstanding& o) { return o.id == d.id; };
    if (std::none_of(directory.outstanding.begin(), directory.outstanding.end(), same))
      directory.outstanding.push_back({d.id, d.reason});
  }
  CALLVAULT_TRY(context.log.append(kUndoneEvent, {{"epoch", std::to_string(pending->next_epoch)}}));
  CALLVAULT_TRY(context.log.pin_head());
  CALLVAULT_TRY(context.state.commit());
  CALLVAULT_TRY(clear_pending(context.layout));
  return Finished{0, 1};
}

}  // namespace callvault::shred
