// Erasure on request: of single recordings, or of everything of one person.
#include <algorithm>
#include <map>

#include "base/phone.h"
#include "capture/incoming.h"
#include "capture/registration.h"
#include "context/aliases.h"
#include "context/opt_out.h"
#include "context/rows.h"
#include "dual_control.h"
#include "over_socket.h"
#include "retention/plan.h"
#include "row_changes.h"
#include "subject.h"

namespace callvault {
namespace {

using keys::NodeRow;

constexpr std::initializer_list<RequestKind> kErasing{RequestKind::erase, RequestKind::withdraw, RequestKind::object};

// What the basis of a recording forbids. Art. 17(3)(b): a legal obligation stands against every erasure. A withdrawal
// ends consent and no other ground (Art. 7(3)); an objection is to what rests on a legitimate interest (Art. 21).
bool stands_against(Basis basis, RequestKind kind) {
  if (basis == Basis::legal_obligation) return true;
  if (kind == RequestKind::withdraw) return basis != Basis::consent;
  return kind == RequestKind::object && basis == Basis::contract;
}

class Erasing {
 public:
  Erasing(Session& session, const EraseOptions& options)
      : session_(session), context_(session.context()), options_(options), changes_(session.context()) {
    report_.dry_run = options.dry_run;
  }

  Result<EraseReport> run() {
    CALLVAULT_TRY(settle());
    CALLVAULT_TRY(find_errand());
    CALLVAULT_TRY(find_numbers());
    CALLVAULT_TRY(find_recordings());
    for (const auto& [bucket, ids] : by_bucket_) CALLVAULT_TRY(judge(bucket, ids));
    std::sort(report_.items.begin(), report_.items.end(), [](const auto& a, const auto& b) { return a.id < b.id; });
    if (options_.dry_run) return std::move(report_);
    CALLVAULT_TRY(accept());
    CALLVAULT_TRY(carry_out());
    return std::move(report_);
  }

 private:
  Result<void> find_errand() {
    auto errand = Errand::of(context_, "erase", options_.request, kErasing);
    // A damaged register keeps nobody from being erased.
    if (!errand && errand.error().code == Errc::corrupt)
      report_.problems.push_back(errand.error().message);
    else if (!errand)
      return errand.error();
    else
      errand_ = std::move(*errand);
    if (!errand_.known()) return {};
    CALLVAULT_TRY_ASSIGN(const Request* request, errand_.request());
    kind_ = request->kind;
    numbers_ = request->numbers;
    return {};
  }

  // A full disk keeps nobody from being erased whose calls are settled.
  Result<void> settle() {
    auto settling = capture::settle(context_, capture::SettleMode::everything);
    if (settling) {
      unread_ = settling->problems.size();
      return {};
    }
    if (settling.error().code != Errc::no_space) return std::move(settling).error();
    full_ = std::move(settling).error();
    CALLVAULT_TRY(session_.start_over());
    CALLVAULT_TRY_ASSIGN(const auto calls, capture::list_incoming(context_.layout));
    for (const auto& call : calls) {
      CALLVAULT_TRY_ASSIGN(const auto known, capture::find_registered(context_, call.id));
      if (!known) ++unread_;
    }
    if (unread_ > 0) report_.problems.push_back(full_->message + "; what waits in incoming/ is not settled");
    return {};
  }

  Result<void> find_numbers() {
    of_request_ = numbers_;
    if (options_.caller) {
      CALLVAULT_TRY_ASSIGN(auto number, base::normalise_number(*options_.caller, context_.config.country_code));
      numbers_ = {std::move(number)};
    }
    by_person_ = options_.ids.empty();
    if (by_person_ && numbers_.empty()) return fail(Errc::usage, "erase needs recordings or --caller, one of them");
    auto all = numbers_of_person(context_, numbers_);
    if (!all && all.error().code != Errc::corrupt) return all.error();
    if (all)
      numbers_ = std::move(*all);
    else
      report_.problems.push_back(all.error().message);
    const auto theirs = [&](const std::string& number) {
      return std::find(numbers_.begin(), numbers_.end(), number) != numbers_.end();
    };
    if (options_.caller && !of_request_.empty() && std::none_of(of_request_.begin(), of_request_.end(), theirs))
      return refuse(context_, "erase", {{"request", options_.request}},
                    fail(Errc::refused, "request " + options_.request + " is about another number"));
    return {};
  }

  Result<void> find_recordings() {
    if (by_person_) {
      CALLVAULT_TRY_ASSIGN(const auto hits, recordings_of(context_, numbers_));
      for (const auto& hit : hits) by_bucket_[hit.bucket].push_back(hit.id);
      report_.unreadable = unread_;
      // Whose calls those are that cannot be read, nobody knows.
      if (hits.empty() && unread_ > 0 && full_) return *full_;
      if (hits.empty() && unread_ > 0)
        return fail(Errc::partly_done, "no recording of that number among those that can be read; " +
                                           std::to_string(unread_) +
                                           " in incoming/ cannot: 'callvault check' names them");
      if (hits.empty()) return refuse(context_, "erase", {}, fail(Errc::not_found, "no recording of that number"));
      return {};
    }
    const std::set<RecordingId> ids(options_.ids.begin(), options_.ids.end());
    for (const auto& id : ids) {
      const auto found = locate_stored(context_, id);
      if (found)
        by_bucket_[found->bucket].push_back(id);
      else
        CALLVAULT_TRY(miss(id, full_ && found.error().code == Errc::busy ? *full_ : found.error()));
    }
    return {};
  }

  // Nothing to erase: there was never such a recording, or no more.
  Result<void> miss(const RecordingId& id, const Error& why) {
    report_.items.push_back({id, false, why.code, why.message});
    if (options_.dry_run) return {};
    CALLVAULT_TRY_ASSIGN(
        auto entry,
        context_.log.entry("erasure_refused", {{"id", id.text()}, {"result", std::string(errc_name(why.code))}}));
    kept_.push_back(std::move(entry));
    return {};
  }

  Result<void> judge(std::uint32_t bucket, const std::vector<RecordingId>& ids) {
    CALLVAULT_TRY_ASSIGN(const auto node, context_.state.open_node(bucket));
    for (const auto& id : ids) {
      CALLVAULT_TRY_ASSIGN(const auto row, node.find(id));
      if (!row) return fail(Errc::corrupt, "the catalogue is not the key state's; run reindex");
      ItemOutcome item{id, false, Errc::refused, {}};
      if (stands_against(row->basis, kind_)) {
        item.reason = std::string(to_word(row->basis));
      } else if (is_protected(*row, context_.now)) {
        item.deferred = true;
        item.reason = is_held(*row, context_.now) ? retention::kHeld : retention::kRestricted;
        deferred_.push_back({id, bucket, "erased", std::nullopt});
      } else {
        item.done = true;
        victims_.push_back({id, bucket, "erased", std::nullopt});
      }
      if (!options_.dry_run) CALLVAULT_TRY(write_entry(item, *row));
      report_.items.push_back(std::move(item));
    }
    return {};
  }

  // The reference is sealed too: in the clear it would tie the recordings of one request to each other.
  Result<void> write_entry(const ItemOutcome& item, const NodeRow& row) {
    const std::string_view event = item.done       ? "erasure_accepted"
                                   : item.deferred ? "erasure_deferred"
                                                   : "erasure_refused";
    CALLVAULT_TRY_ASSIGN(auto entry, context_.log.entry(event, {{"id", row.id.text()},
                                                                {"result", item.done ? "accepted" : item.reason}}));
    CALLVAULT_TRY_ASSIGN(const auto secret, crypto::Key::copy_of(row.record_secret));
    CALLVAULT_TRY(context::Log::add_note(
        entry, row.id, secret,
        "request " + options_.request + (options_.reason.empty() ? "" : ": " + options_.reason)));
    (item.done ? accepted_ : kept_).push_back(std::move(entry));
    return {};
  }

  // Accepted is what will be carried out, whatever happens to this process: durable before it is journalled.
  Result<void> accept() {
    if (auto noted = take_notes(); !noted) {
      if (noted.error().code != Errc::no_space && noted.error().code != Errc::corrupt) return noted;
      report_.problems.push_back(noted.error().message + "; the erasure is not noted with its request");
    }
    std::vector<shred::Victim> all = victims_;
    all.insert(all.end(), deferred_.begin(), deferred_.end());
    CALLVAULT_TRY(shred::keep_outstanding(context_, all, noted_));
    CALLVAULT_TRY(changes_.follow());
    // One request is about one person. Named beside each other, what is kept would tell for ever whose that was.
    if (report_.items.size() > 1)
      for (auto& entry : kept_) {
        entry.facts.erase("id");
        entry.note.clear();
        entry.note_key.clear();
      }
    accepted_.insert(accepted_.end(), std::make_move_iterator(kept_.begin()), std::make_move_iterator(kept_.end()));
    if (const auto said = context_.log.append(accepted_); !said) return kept(said.error());
    return {};
  }

  // For whom an erasure waits, what the request's history says, who is not recorded any more, and alias groups that
  // nothing needs.
  Result<void> take_notes() {
    std::map<std::uint32_t, std::set<RecordingId>> waiting;
    for (const auto& victim : deferred_) waiting[victim.bucket].insert(victim.id);
    const keys::DeferredErasure why{context_.now, options_.request, options_.reason};
    for (const auto& [bucket, ids] : waiting) {
      CALLVAULT_TRY(changes_.stage(
          bucket, ids,
          [&](NodeRow& row) {
            if (!row.deferred) row.deferred = why;
          },
          RowChanges::Index::same));
      noted_ = true;
    }
    if (kind_ != RequestKind::erase && !numbers_.empty()) CALLVAULT_TRY(opt_out());
    const auto refused = report_.items.size() - victims_.size() - deferred_.size();
    CALLVAULT_TRY(errand_.note(context_, "erased",
                               std::to_string(victims_.size()) + " erased, " + std::to_string(deferred_.size()) +
                                   " deferred, " + std::to_string(refused) + " refused"));
    noted_ = noted_ || errand_.known();
    if (unread_ > 0 || numbers_.empty()) return {};
    std::set<RecordingId> ids;
    for (const auto& victim : victims_) ids.insert(victim.id);
    CALLVAULT_TRY_ASSIGN(const bool dropped, drop_needless_aliases(context_, numbers_, ids));
    noted_ = noted_ || dropped;
    return {};
  }

  // Who withdraws or objects is not recorded again (S08, S36).
  Result<void> opt_out() {
    CALLVAULT_TRY_ASSIGN(auto opt_outs, context::OptOuts::load(context_));
    bool added = false;
    for (const auto& number : numbers_) added = opt_outs.add(number, {context_.now, options_.request}) || added;
    if (added) CALLVAULT_TRY(opt_outs.stage(context_));
    noted_ = noted_ || added;
    report_.opted_out = true;
    return {};
  }

  static Error kept(Error why) {
    why.message += "; the erasure is kept, and the next purge carries it out";
    return why;
  }

  Result<void> carry_out() {
    if (victims_.empty()) return {};
    const auto done = shred::run(context_, std::move(victims_), shred_options(context_));
    if (!done) return kept(done.error());
    report_.epoch = done->epoch;
    report_.irrecoverable_ms = done->irrecoverable_ms;
    report_.cleaned_ms = done->cleaned_ms;
    const std::set<RecordingId> outstanding(done->outstanding.begin(), done->outstanding.end());
    for (auto& item : report_.items) {
      if (!outstanding.contains(item.id)) continue;
      item.done = false;
      item.code = Errc::partly_done;
      if (!done->mirrors_behind.empty()) {
        item.reason = "outstanding: " + wait_for_mirrors(done->mirrors_behind);
        continue;
      }
      item.reason =
          "outstanding: an intake key it was sealed to is still needed, by a recorder or by an unreadable file "
          "in incoming/; the next purge retries";
    }
    return {};
  }

  Session& session_;
  context::Context& context_;
  const EraseOptions& options_;
  Errand errand_;
  RequestKind kind_ = RequestKind::erase;
  bool by_person_ = false;
  bool noted_ = false;  // the directory is edited
  std::uint64_t unread_ = 0;
  std::optional<Error> full_;  // why what waits in incoming/ could not be settled
  std::vector<std::string> numbers_, of_request_;
  std::map<std::uint32_t, std::vector<RecordingId>> by_bucket_;
  std::vector<shred::Victim> victims_, deferred_;
  std::vector<journal::Entry> accepted_, kept_;
  RowChanges changes_;
  EraseReport report_;
};

// Bound to what was typed: what else turns out to be that person's is erased with it.
Result<void> require_second_for_erasure(Session& session, const EraseOptions& options) {
  std::vector<std::string> parameters{options.request, options.reason};
  std::string what = "the recordings of the request's person";
  if (options.caller) {
    CALLVAULT_TRY_ASSIGN(const auto number,
                         base::normalise_number(*options.caller, session.context().config.country_code));
    parameters.push_back(number);
    what = "every recording of " + number;
  }
  const std::set<RecordingId> ids(options.ids.begin(), options.ids.end());
  if (!ids.empty()) what.clear();
  for (const auto& id : ids) {
    parameters.push_back(id.text());
    what += (what.empty() ? "" : ", ") + id.text();
  }
  return require_second(
      session, DualAction::erase, parameters,
      "erase " + what + "; request " + options.request + (options.reason.empty() ? "" : ": " + options.reason));
}

}  // namespace

Result<EraseReport> Vault::erase(const Person& person, const EraseOptions& options) {
  if (impl_->remote) return signed_call<EraseReport>(*impl_, "erase", person, options);
  if (!options.ids.empty() && options.caller)
    return fail(Errc::usage, "erase needs recordings or --caller, one of them");
  CALLVAULT_TRY(check_reference(options.request));
  if (options.reason.size() > kMaxReasonBytes) return fail(Errc::usage, "a reason has at most 4,096 bytes");
  CALLVAULT_TRY_ASSIGN(const auto session, Session::begin(*impl_, Access::change, person.name()));
  CALLVAULT_TRY(session->require(person, {Role::officer}, "erase"));
  if (!options.dry_run) CALLVAULT_TRY(require_second_for_erasure(*session, options));
  return Erasing(*session, options).run();
}

}  // namespace callvault
