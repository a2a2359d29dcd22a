// Whether all is well: check, recover, reindex, prove-gone.
#include <algorithm>
#include <filesystem>
#include <map>
#include <numeric>
#include <set>

#include "base/text.h"
#include "capture/folded.h"
#include "context/rows.h"
#include "context/sealed_files.h"
#include "context/tombstones.h"
#include "keys/recorder_view.h"
#include "objected.h"
#include "over_socket.h"
#include "registers.h"
#include "rights/certificate.h"
#include "sealed/reader.h"
#include "session.h"

namespace callvault {
namespace {

namespace fs = std::filesystem;
using keys::NodeRow;

std::optional<journal::Head> remembered_head(const keys::Directory& directory) {
  if (directory.journal_size == 0) return std::nullopt;
  return journal::Head{directory.journal_size, directory.journal_root};
}

class Checking {
 public:
  Checking(context::Context& context, const CheckOptions& options) : context_(context), options_(options) {}

  Result<CheckReport> run() {
    CALLVAULT_TRY_ASSIGN(const auto incoming, capture::count_unsettled(context_.layout));
    report_.unsettled = incoming.waiting;
    CALLVAULT_TRY_ASSIGN(report_.problems, capture::find_unreadable(context_));
    for (auto& problem : report_.problems)
      problem += "; it cannot be settled: bring the file back whole and readable, or remove it";
    const auto& buckets = context_.state.directory().buckets;
    const auto total = std::accumulate(buckets.begin(), buckets.end(), std::uint64_t{0},
                                       [](auto sum, const auto& item) { return sum + item.second.recordings; });
    for (const auto& [number, bucket] : buckets) {
      auto node = context_.state.open_node(number);
      if (!node) {
        report_.problems.push_back(node.error().message +
                                   "; its recordings cannot be opened: bring back keys/ of a backup");
        continue;
      }
      check_recordings(bucket, *node, total);
    }
    for (const auto& [name, known] : context_.state.directory().registers)
      if (const auto plain = context_.state.read_register(name); !plain)
        report_.problems.push_back(plain.error().message + "; bring back keys/ of a backup" +
                                   (can_be_given_up(name) ? ", else 'callvault recover --give-up " + name + "'" : ""));
    check_review_key();
    CALLVAULT_TRY(find_strangers());
    if (auto walked = context_.catalog.check(); !walked)
      report_.problems.push_back("catalogue: " + walked.error().message + "; run reindex");
    const auto& journal = context_.log.journal();
    CALLVAULT_TRY_ASSIGN(const auto verified,
                         journal.verify(journal.public_key(), remembered_head(context_.state.directory())));
    for (const auto& problem : verified.problems) report_.problems.push_back("journal: " + problem);
    if (verified.checkpoint_ok)
      for (const auto& file : verified.derived_wrong)
        report_.notes.push_back("journal/" + file + " is missing, behind or damaged; nothing is lost: " +
                                "'callvault recover' makes it again from the entries");
    return report_;
  }

 private:
  // A number above the directory's is what a crash leaves: the file is replaced first.
  void check_review_key() {
    const auto known = context_.state.directory().review_number;
    const auto review = keys::read_review_public(context_.layout);
    if (!review)
      report_.problems.push_back(review.error().message + "; bring back keys/review.pub of a backup");
    else if (review->number < known)
      report_.problems.push_back("keys/review.pub holds review key " + std::to_string(review->number) +
                                 ", the directory knows " + std::to_string(known) +
                                 ": an old copy was brought back, and calls are sealed to a key that was taken away; "
                                 "bring back the newest of a backup");
  }

  // So many at a time: progress is told in between.
  static constexpr std::size_t kRecordingsAtOnce = 512;

  void check_recordings(const keys::Bucket& bucket, const keys::Node& node, std::uint64_t total) {
    for (std::size_t i = 0; i < node.size();) {
      std::vector<NodeRow> rows;
      for (; i < node.size() && rows.size() < kRecordingsAtOnce; ++i) {
        if (auto row = node.row(i))
          rows.push_back(std::move(*row));
        else
          report_.problems.push_back(row.error().message);
      }
      tell(rows, context::check_sealed_files(context_.layout, bucket, rows,
                                             options_.deep ? context::Depth::every_byte : context::Depth::ends));
      report_.recordings += rows.size();
      if (options_.progress) options_.progress(report_.recordings, total);
    }
  }

  void tell(const std::vector<NodeRow>& rows, const std::vector<context::CheckedFile>& files) {
    auto file = files.begin();
    for (std::size_t i = 0; i < rows.size(); ++i) {
      std::map<TrackName, bool> heard;
      for (; file != files.end() && file->row == i; ++file) {
        const auto& track = rows[i].tracks[file->track];
        const std::string name = base::sealed_file_name(rows[i].id, track.name, track.segment);
        known_.insert(name);
        if (file->chunks) ++report_.files;
        report_.chunks += file->chunks.value_or(0);
        if (file->problem)
          report_.problems.push_back(name + ": " + file->problem->message + what_to_do(*file->problem));
        bool& any = heard[track.name];
        any = any || rows[i].in_progress || file->problem || file->chunks.value_or(0) > 0;
      }
      note_silence(rows[i].id, heard);
    }
  }

  void note_silence(const RecordingId& id, const std::map<TrackName, bool>& heard) {
    for (const auto& [name, any] : heard)
      if (!any)
        report_.notes.push_back(id.text() + "." + std::string(to_word(name)) +
                                " holds no audio: its recorder was cut off before the first second was safe; it "
                                "cannot be played, and may be erased");
  }

  static std::string what_to_do(const Error& why) {
    if (why.code == Errc::newer_version) return "; open it with the newer callvault";
    if (why.code == Errc::corrupt || why.code == Errc::not_found)
      return "; bring the file back from a backup, else erase the recording";
    return "; mend what keeps it from being read, then check again";
  }

  // Files that no node knows: a leftover, or a copy brought back.
  Result<void> find_strangers() {
    CALLVAULT_TRY_ASSIGN(const auto days, os::list_folder(context_.layout.recordings()));
    for (const auto& day : days) {
      CALLVAULT_TRY_ASSIGN(const auto names, os::list_folder(context_.layout.recordings() / day));
      for (const auto& name : names)
        if (!known_.contains(name))
          report_.problems.push_back("recordings/" + day + "/" + name +
                                     ": no key state knows this file; it cannot be opened and may be removed");
    }
    return {};
  }

  context::Context& context_;
  const CheckOptions& options_;
  CheckReport report_;
  std::set<std::string> known_;
};

// Every check of prove-gone, each of which can fail.
class Proving {
 public:
  Proving(Vault::Impl& vault, context::Context& context, const RecordingId& id)
      : vault_(vault), context_(context), id_(id) {}

  Result<ProofReport> run() {
    report_.id = id_;
    CALLVAULT_TRY_ASSIGN(report_.tombstone, context_.catalog.tombstone(id_));
    CALLVAULT_TRY_ASSIGN(const bool reachable, open_as_keeper());
    CALLVAULT_TRY_ASSIGN(const auto places, scan());
    if (!report_.tombstone && !reachable && places.empty()) CALLVAULT_TRY(capture::tell_folded(context_, id_));
    if (!report_.tombstone && !reachable && places.empty())
      return fail(Errc::not_found, "no recording " + id_.text() + " was ever here");
    step("tombstone", report_.tombstone.has_value(),
         report_.tombstone ? "shredded on " + context_.zone.rfc3339(report_.tombstone->shredded_at) + ", reason " +
                                 report_.tombstone->reason
                           : "there is none");
    if (report_.tombstone) CALLVAULT_TRY(prove_log());
    CALLVAULT_TRY(prove_keeper());
    step("open as keeper", !reachable,
         reachable ? "the key state still holds its secrets" : "no bucket of the key state knows it");
    step("scan", places.empty(), places.empty() ? "no file of the vault carries its id" : places);
    report_.gone = std::all_of(report_.steps.begin(), report_.steps.end(), [](const auto& s) { return s.passed; });
    report_.not_seen = {"copies made by a person while allowed to open it",
                        "remnants inside a solid state disk or below the file system",
                        "memory snapshots of this host taken before the shred",
                        "a root key read from the keeper before the shred"};
    if (report_.gone) certify();
    return report_;
  }

 private:
  void step(std::string what, bool passed, std::string detail) {
    report_.steps.push_back({std::move(what), passed, std::move(detail)});
  }

  Result<bool> open_as_keeper() {
    for (const auto& [number, bucket] : context_.state.directory().buckets) {
      CALLVAULT_TRY_ASSIGN(const auto node, context_.state.open_node(number));
      CALLVAULT_TRY_ASSIGN(const auto row, node.find(id_));
      if (row) return true;
    }
    return false;
  }

  Result<void> prove_log() {
    const auto& journal = context_.log.journal();
    const std::uint64_t index = report_.tombstone->journal_index;
    CALLVAULT_TRY_ASSIGN(head_, journal.head());
    CALLVAULT_TRY_ASSIGN(proof_, journal.inclusion_proof(index, head_.size));
    CALLVAULT_TRY_ASSIGN(line_, journal.line(index));
    const auto entry = journal::decode(line_);
    const bool right = entry && entry->event == context::kTombstoneEvent && entry->facts.contains("id") &&
                       entry->facts.at("id") == id_.text();
    const bool in = journal::verify_inclusion(journal::leaf_hash(line_), index, head_, proof_);
    step("journal proof", right && in,
         "entry " + std::to_string(index) + " of " + std::to_string(head_.size) + ", " + std::to_string(proof_.size()) +
             " hashes to root " + base::to_hex(head_.root));
    return {};
  }

  Result<void> prove_keeper() {
    const auto mirrored = context_.state.keepers();
    if (!mirrored.empty()) return prove_each(mirrored);
    CALLVAULT_TRY_ASSIGN(const auto slots, vault_.keeper->read());
    CALLVAULT_TRY_ASSIGN(const bool unfinished, vault_.keeper->unfinished());
    const bool alone = slots.size() == 1 && !unfinished;
    const bool later = !report_.tombstone || (alone && slots.front().epoch >= report_.tombstone->epoch);
    step("keeper", alone && later,
         alone ? "holds one root, of epoch " + std::to_string(slots.front().epoch) : "a rotation is not finished");
    return {};
  }

  // What each keeper may still hold is in the directory; those that are there are looked at besides.
  Result<void> prove_each(const std::vector<keys::KeeperView>& keepers) {
    const auto now = context_.state.directory().epoch;
    for (const auto& k : keepers) {
      const bool forgot = k.entry.oldest >= (report_.tombstone ? report_.tombstone->epoch : now);
      const bool reached = k.told.has_value() && k.standing != keys::Standing::missing;
      const bool alone = !reached || (k.epochs.size() == 1 && !k.unfinished && k.epochs.front() >= k.entry.oldest);
      std::string detail = k.path + ": ";
      if (!forgot)
        detail += "not final: it may still hold the root of epoch " + std::to_string(k.entry.oldest);
      else if (!alone)
        detail += "a rotation is not finished";
      else
        detail += "holds no root from before epoch " + std::to_string(k.entry.oldest);
      if (!k.problem.empty()) detail += " (" + k.problem + ")";
      step("keeper", forgot && alone && k.standing != keys::Standing::strange, detail);
    }
    return {};
  }

  // Names and headers: what a copy that was brought back would show.
  Result<std::string> scan() {
    std::string found;
    std::error_code error;
    for (const auto& folder : {context_.layout.recordings(), context_.layout.incoming(), context_.layout.keys()}) {
      for (fs::recursive_directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
        if (!it->is_regular_file(error)) continue;
        bool carries = it->path().filename().string().starts_with(id_.text());
        if (!carries) {
          const auto reader = sealed::Reader::open(it->path());
          carries = reader && reader->header().id == id_;
        }
        if (carries)
          found += (found.empty() ? "" : ", ") + it->path().lexically_relative(context_.layout.root).string();
      }
      if (error) return fail(Errc::io, "cannot list " + folder.string() + ": " + error.message());
    }
    return found;
  }

  void certify() {
    keys::KeeperDescription keeper = vault_.keeper->describe();
    for (const auto& view : context_.state.keepers()) {
      if (!view.told || view.standing != keys::Standing::current) continue;
      if (!vault_.why_mirror.empty()) keeper = *view.told;
      keeper.sound = keeper.sound && view.told->sound;
      if (keeper.reason.empty()) keeper.reason = view.told->reason;
    }
    rights::Certificate out{context_.log.journal().origin(),
                            context_.config.organisation,
                            *report_.tombstone,
                            keeper.kind + " on " + keeper.medium + " medium; the old root was " + keeper.claim,
                            line_,
                            head_,
                            proof_,
                            report_.not_seen};
    if (!keeper.sound) out.keeper += "; its place is not shown to forget (" + keeper.reason + ")";
    report_.certificate = rights::sign_certificate(out, *context_.state.directory().journal_seed);
  }

  Vault::Impl& vault_;
  context::Context& context_;
  RecordingId id_;
  ProofReport report_;
  journal::Head head_;
  std::vector<crypto::Digest> proof_;
  std::string line_;
};

struct JournalMends {
  bool checkpoint = false, derived = false;
};

// Before anything is changed, since nothing can be journalled without a checkpoint.
Result<JournalMends> mend_journal(Vault::Impl& vault) {
  JournalMends out;
  CALLVAULT_TRY_ASSIGN(const auto lock,
                       os::Lock::acquire(vault.layout.state_lock(), os::LockMode::exclusive, vault.patience));
  CALLVAULT_TRY_ASSIGN(auto state, keys::KeyState::load(vault.layout, *vault.keeper, keys::KeyState::Access::look));
  const auto& directory = state.directory();
  if (!directory.journal_seed) return fail(Errc::corrupt, "the directory holds no journal key");
  const auto key = crypto::signing_public_key(*directory.journal_seed);
  if (key != vault.journal->public_key())
    return fail(Errc::corrupt, "journal/key.pub is not the key the directory knows; bring it back from a backup");
  const journal::Head remembered = remembered_head(directory).value_or(journal::Head{0, journal::empty_root()});
  if (const auto signed_part = vault.journal->require_checkpoint(); !signed_part) {
    if (signed_part.error().code != Errc::corrupt) return signed_part.error();
    const context::Log log(*vault.journal, state, "", vault.clock->now());
    CALLVAULT_TRY_ASSIGN(const auto entry,
                         log.entry("checkpoint_signed", {{"remembered", std::to_string(remembered.size)}}));
    CALLVAULT_TRY(vault.journal->sign_anew(entry, *directory.journal_seed, remembered, vault.patience));
    out.checkpoint = true;
    return out;
  }
  CALLVAULT_TRY_ASSIGN(const auto verified, vault.journal->verify(key, remembered));
  if (verified.derived_ok || !verified.problems.empty()) return out;
  const auto rebuilt = vault.journal->rebuild_derived(vault.patience);
  if (!rebuilt && rebuilt.error().code != Errc::no_space) return rebuilt.error();  // nothing waits for them
  out.derived = rebuilt.has_value();
  return out;
}

}  // namespace

Result<CheckReport> Vault::check(const CheckOptions& options) {
  CALLVAULT_TRY_ASSIGN(const auto session, Session::begin(*impl_, Access::look, ""));
  return Checking(session->context(), options).run();
}

Result<RecoverReport> Vault::recover(const RecoverOptions& options) {
  if (impl_->remote) return only_at_home();
  CALLVAULT_TRY_ASSIGN(const auto mended, mend_journal(*impl_));
  CALLVAULT_TRY_ASSIGN(const auto session, Session::begin(*impl_, Access::change, ""));
  // Before calls are settled: whether these may be kept is what the register says.
  if (!options.give_up.empty()) CALLVAULT_TRY(give_up_register(session->context(), options.give_up));
  if (!options.complete.empty()) CALLVAULT_TRY(complete_register(session->context(), options.complete));
  CALLVAULT_TRY_ASSIGN(const auto settled, capture::settle(session->context(), capture::SettleMode::finished));
  CALLVAULT_TRY(shred_objected(session->context(), settled.objected));
  RecoverReport out;
  out.given_up = options.give_up;
  out.interrupted_sealed = settled.interrupted;
  out.settled = settled.settled;
  out.refused = settled.problems.size();
  out.problems = settled.problems;
  out.rotations_finished = session->finished().finished;
  out.rotations_undone = session->finished().undone;
  out.finalised = session->state().finalised();
  out.journal_signed = mended.checkpoint;
  out.journal_rebuilt = mended.derived;
  if (out.interrupted_sealed + out.rotations_finished + out.rotations_undone > 0 || out.journal_rebuilt)
    CALLVAULT_TRY(
        session->context().log.append("recovered", {{"interrupted", std::to_string(out.interrupted_sealed)},
                                                    {"finished", std::to_string(out.rotations_finished)},
                                                    {"undone", std::to_string(out.rotations_undone)},
                                                    {"rebuilt", out.journal_rebuilt ? "journal" : "nothing"}}));
  return out;
}

Result<ReindexReport> Vault::reindex() {
  if (impl_->remote) return only_at_home();
  CALLVAULT_TRY_ASSIGN(const auto session, Session::begin(*impl_, Access::rebuild, ""));
  CALLVAULT_TRY(capture::settle(session->context(), capture::SettleMode::finished));
  ReindexReport out;
  CALLVAULT_TRY_ASSIGN(out.problems, context::unread_rows(session->context()));
  for (const auto& [number, bucket] : session->directory().buckets) out.recordings += bucket.recordings;
  CALLVAULT_TRY(impl_->catalog->for_each_tombstone([&](const Tombstone&) { return ++out.tombstones > 0; }));
  CALLVAULT_TRY(session->context().log.append("reindexed", {{"recordings", std::to_string(out.recordings)}}));
  return out;
}

Result<ProofReport> Vault::prove_gone(const RecordingId& id) {
  if (impl_->remote) return account_call<ProofReport>(*impl_, "prove_gone", id);
  CALLVAULT_TRY(settle_if_free(*impl_));
  CALLVAULT_TRY_ASSIGN(const auto session, Session::begin(*impl_, Access::look, ""));
  return Proving(*impl_, session->context(), id).run();
}

}  // namespace callvault
