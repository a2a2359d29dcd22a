#include "shred/shred.h"

#include <algorithm>
#include <set>

#include "os/presence.h"
#include "shred/cleaning.h"
#include "shred/retirement.h"
#include "shred/targets.h"

namespace callvault::shred {
namespace {

using keys::NodeRow;
using SteadyClock = std::chrono::steady_clock;
using DoomedById = std::map<RecordingId, const Doomed*>;

double ms_since(SteadyClock::time_point start) {
  return std::chrono::duration<double, std::milli>(SteadyClock::now() - start).count();
}

Doomed doomed_of(const Target& target, const NodeRow& row, std::int32_t day) {
  Doomed out{target.id, target.bucket, day, row.duration_s, target.reason, target.takes_all_of(row), {}};
  for (const auto& t : row.tracks)
    if (target.takes(t.name)) out.tracks.emplace_back(t.name, t.segment);
  return out;
}

void remove_doomed(std::vector<NodeRow>& rows, const DoomedById& doomed) {
  std::erase_if(rows, [&](NodeRow& row) {
    const auto it = doomed.find(row.id);
    if (it == doomed.end()) return false;
    const Doomed& d = *it->second;
    std::erase_if(row.tracks, [&](const keys::TrackSecret& t) { return d.takes(t.name); });
    row.caller_shredded = row.caller_shredded || d.takes(TrackName::caller);
    return d.whole;
  });
}

Result<bool> holds_doomed(const keys::Node& node, const DoomedById& doomed) {
  for (const auto& item : doomed) {
    const Doomed& d = *item.second;
    CALLVAULT_TRY_ASSIGN(const auto row, node.find(d.id));
    if (!row) continue;
    const bool heard =
        std::any_of(row->tracks.begin(), row->tracks.end(), [&](const auto& t) { return d.takes(t.name); });
    if (d.whole || heard) return true;
  }
  return false;
}

class Shredding {
 public:
  Shredding(context::Context& context, std::vector<Target> targets, Retirement retirement, const Options& options)
      : context_(context), targets_(std::move(targets)), retirement_(std::move(retirement)), options_(options) {}

  Result<Report> run() {
    const auto start = SteadyClock::now();
    CALLVAULT_TRY(condemn());
    report_.epoch = context_.state.directory().epoch;
    if (doomed_.empty() && retirement_.retired().empty() && !options_.rotate) return report_;
    CALLVAULT_TRY(write_intent(context_, doomed_, context_.state.directory().epoch + 1));
    CALLVAULT_TRY(retain());
    CALLVAULT_TRY(context_.log.pin_head());
    CALLVAULT_TRY(context_.state.stage_root());
    CALLVAULT_TRY(context_.state.commit_rotation(doomed_.size()));
    CALLVAULT_TRY(context_.state.forget_old());
    CALLVAULT_TRY(verify_gone());
    report_.irrecoverable_ms = ms_since(start);
    report_.epoch = context_.state.directory().epoch;
    note_mirrors();
    report_.intake_retired = retirement_.retired().size();
    for (const auto id : retirement_.retired())
      CALLVAULT_TRY(os::remove_file(context_.layout.intake() / std::to_string(id)));
    CALLVAULT_TRY(clean(context_, doomed_, report_.epoch, false, options_.progress));
    report_.cleaned_ms = ms_since(start);
    return report_;
  }

 private:
  // Who goes now. The others are kept as outstanding, for the next purge: those whose intake key stays, and one party's
  // voice in a call that still goes on, since its recorder would go on writing it.
  Result<void> condemn() {
    auto& directory = context_.state.edit();
    bool edited = false;
    std::optional<keys::Node> node;
    for (std::size_t i = 0; i < targets_.size(); ++i) {
      const Target& target = targets_[i];
      if (i == 0 || target.bucket != targets_[i - 1].bucket) {
        node.reset();  // its memory is locked, and that is scarce
        CALLVAULT_TRY_ASSIGN(node, context_.state.open_node(target.bucket));
      }
      CALLVAULT_TRY_ASSIGN(const auto row, node->find(target.id));
      if (!row) continue;
      Doomed doomed = doomed_of(target, *row, directory.buckets.at(target.bucket).day);
      if (!doomed.whole && doomed.tracks.empty()) continue;
      if (retirement_.blocks(directory, *row) || (row->in_progress && !doomed.whole)) {
        report_.outstanding.push_back(target.id);
        edited = put_off(directory, target) || edited;
        continue;
      }
      doomed_.push_back(std::move(doomed));
    }
    for (const Doomed& d : doomed_) by_bucket_[d.bucket].emplace(d.id, &d);
    return edited ? context_.state.commit() : Result<void>();
  }

  // Step 2: the survivors of each bucket under fresh keys. A bucket without survivors is dropped.
  Result<void> retain() {
    auto& directory = context_.state.edit();
    for (const auto& item : by_bucket_) {
      CALLVAULT_TRY_ASSIGN(const auto node, context_.state.open_node(item.first));
      CALLVAULT_TRY_ASSIGN(auto rows, node.rows());
      remove_doomed(rows, item.second);
      keys::Bucket& bucket = directory.buckets.at(item.first);
      CALLVAULT_TRY_ASSIGN(bucket.index_key, crypto::Key::random());
      (rows.empty() ? report_.buckets_dropped : report_.buckets_rewritten) += 1;
      CALLVAULT_TRY(context_.state.stage_node(bucket, rows));
    }
    for (const auto id : retirement_.retired()) directory.intake.erase(id);
    for (const auto& d : doomed_) take_off(directory, d);
    return {};
  }

  // Step 6, from what is on disk now: the keeper has one root, and nothing it opens knows a victim.
  Result<void> verify_gone() {
    CALLVAULT_TRY_ASSIGN(const auto fresh, context_.state.reload());
    CALLVAULT_TRY_ASSIGN(bool gone, context_.state.is_forgotten());
    for (const auto id : retirement_.retired()) gone = gone && !fresh.directory().intake.contains(id);
    for (const auto& item : by_bucket_) {
      if (!fresh.directory().buckets.contains(item.first)) continue;
      CALLVAULT_TRY_ASSIGN(const auto node, fresh.open_node(item.first));
      CALLVAULT_TRY_ASSIGN(const bool held, holds_doomed(node, item.second));
      gone = gone && !held;
    }
    if (!gone) return fail(Errc::unexpected, "a shredded recording can still be reached; the shred stays pending");
    return {};
  }

  // A shred is final only when every keeper has forgotten.
  void note_mirrors() {
    if (keys::forgotten_before(context_.state.directory(), report_.epoch)) {
      report_.shredded = doomed_.size();
      return;
    }
    for (const auto& d : doomed_) report_.outstanding.push_back(d.id);
    for (const auto& view : context_.state.keepers())
      if (view.entry.oldest < report_.epoch) report_.mirrors_behind.push_back(view.path);
  }

  context::Context& context_;
  std::vector<Target> targets_;
  Retirement retirement_;
  const Options& options_;
  Report report_;
  std::vector<Doomed> doomed_;
  std::map<std::uint32_t, DoomedById> by_bucket_;
};

// On a full disk a shred may use what is set aside; what comes before and after it may not.
class SpareUse {
 public:
  explicit SpareUse(keys::KeyState& state) : state_(state), before_(state.spare() != nullptr) {
    state_.use_spare(true);
  }
  ~SpareUse() { state_.use_spare(before_); }
  SpareUse(const SpareUse&) = delete;
  SpareUse& operator=(const SpareUse&) = delete;

 private:
  keys::KeyState& state_;
  bool before_;
};

}  // namespace

Result<Report> run(context::Context& context, std::vector<Victim> victims, const Options& options) {
  auto targets = merge(std::move(victims));
  const SpareUse spare(context.state);
  CALLVAULT_TRY_ASSIGN(auto retirement, Retirement::run(context, targets, options));
  return Shredding(context, std::move(targets), std::move(retirement), options).run();
}

Result<void> keep_outstanding(context::Context& context, const std::vector<Victim>& victims, bool edited) {
  for (const Target& target : merge(victims)) edited = put_off(context.state.edit(), target) || edited;
  const SpareUse spare(context.state);
  return edited ? context.state.commit() : Result<void>();
}

bool is_pending(const base::Layout& layout) { return os::may_exist(pending_path(layout)); }

Result<Finished> finish_pending(context::Context& context) {
  auto pending = read_pending(context);
  if (!pending && pending.error().code == Errc::not_found) return Finished{};
  if (!pending) return std::move(pending).error();
  const SpareUse spare(context.state);
  if (pending->next_epoch != 0 && context.state.directory().epoch >= pending->next_epoch) {
    CALLVAULT_TRY(clean(context, pending->doomed, pending->next_epoch, pending->journalled, {}));
    return Finished{1, 0, pending->doomed.size()};
  }
  // Before the commit: nothing was taken away.
  auto& directory = context.state.edit();
  for (const auto& d : pending->doomed)
    if (was_asked_for(d.reason))
      put_off(directory, {d.id, d.bucket, d.reason, d.whole ? std::set<TrackName>() : d.names()});
  CALLVAULT_TRY(context.log.append(kUndoneEvent, {{"epoch", std::to_string(pending->next_epoch)}}));
  CALLVAULT_TRY(context.log.pin_head());
  CALLVAULT_TRY(context.state.commit());
  CALLVAULT_TRY(clear_pending(context.layout));
  return Finished{0, 1, 0};
}

}  // namespace callvault::shred
