#include "capture/settle.h"

#include <algorithm>
#include <list>
#include <set>

#include "capture/control.h"
#include "capture/incoming.h"
#include "capture/registration.h"
#include "context/aliases.h"
#include "context/opt_out.h"
#include "context/rows.h"
#include "sealed/reader.h"

namespace callvault::capture {
namespace {

using keys::NodeRow;

struct BucketKey {
  std::string retention_class;
  std::int32_t day = 0;
  auto operator<=>(const BucketKey&) const = default;
};

class Settling {
 public:
  Settling(context::Context& context, SettleMode mode) : context_(context), mode_(mode) {}

  Result<SettleReport> run() {
    CALLVAULT_TRY_ASSIGN(auto calls, list_incoming(context_.layout));
    for (auto& call : calls) CALLVAULT_TRY(take(call));
    if (fresh_.empty() && moves_.empty()) return report_;
    CALLVAULT_TRY(stage());
    if (!entries_.empty()) {
      CALLVAULT_TRY(context_.state.check_room());
      CALLVAULT_TRY(context_.log.append(entries_));
      CALLVAULT_TRY(context_.log.pin_head());
    }
    if (!touched_.empty()) CALLVAULT_TRY(context_.state.commit());
    for (const auto number : touched_) CALLVAULT_TRY(index(number));
    CALLVAULT_TRY(move_files());
    CALLVAULT_TRY(context_.state.remove_superseded());
    return report_;
  }

 private:
  // Sorts one recording: new, registered already, in progress, or unreadable.
  Result<void> take(IncomingCall& call) {
    if (call.alive()) ++report_.in_progress;
    CALLVAULT_TRY_ASSIGN(const auto known, find_registered(context_, call.id));
    if (call.alive() && (mode_ == SettleMode::finished || (known && !has_new_files(call, *known)))) return {};
    if (!known) {
      CALLVAULT_TRY_ASSIGN(const auto tombstone, context_.catalog.tombstone(call.id));
      if (tombstone) {
        if (call.alive()) return {};
        if (auto removed = remove_files(call); !removed) return pass_over(call, removed.error());
        return {};
      }
    }
    auto registration = read_registration(context_, call, known);
    if (!registration) return pass_over(call, registration.error());
    if (registration->recovered) ++report_.interrupted;
    if (known && !registration->changed) {
      if (!call.alive()) moves_.push_back({call.id, known->bucket});
      return {};
    }
    if (!known) {
      // Whether this call may be kept nobody can tell while the register is damaged: it waits, and stops no other.
      if (const auto asked = refuse_if_opted_out(*registration); !asked) return pass_over(call, asked.error());
    }
    if (auto fits = check_fits(registration->row); !fits) return pass_over(call, fits.error());
    fresh_.push_back(std::move(*registration));
    fresh_.back().known = known;
    return {};
  }

  // A recorder cannot ask the register, so whoever settles its call does (S08).
  Result<void> refuse_if_opted_out(Registration& r) {
    const auto& registers = context_.state.directory().registers;
    if (!registers.contains(std::string(context::kOptOutRegister)) || r.row.basis != Basis::consent) return {};
    if (!opt_outs_) {
      CALLVAULT_TRY_ASSIGN(opt_outs_, context::OptOuts::load(context_));
    }
    if (opt_outs_->incomplete_since())
      return fail(Errc::refused, "the opt-out register is not said to be complete again since it was given up");
    if (!aliases_ && registers.contains(std::string(context::kAliasRegister))) {
      CALLVAULT_TRY_ASSIGN(aliases_, context::Aliases::load(context_));
    }
    std::vector<std::string> numbers{r.details.caller, r.details.called};
    if (aliases_) {
      CALLVAULT_TRY_ASSIGN(numbers, aliases_->of(numbers));
    }
    for (const auto& number : numbers) {
      const auto entry = opt_outs_->find(number);
      if (!entry || !opt_outs_->stood_at(*entry, r.row.started_at)) continue;
      r.row.caller_consent = Consent::refused;
      r.row.consent_since = r.row.started_at;
      report_.objected.push_back(r.row.id);
      return {};
    }
    return {};
  }

  // One bad file stops nothing but its own call; without room nothing can be settled.
  Result<void> pass_over(const IncomingCall& call, const Error& why) {
    if (why.code == Errc::no_space) return why;
    report_.problems.push_back("recording " + call.id.text() + " in incoming/: " + why.message);
    for (const auto id : intake_of(context_, call)) report_.failed_intake.push_back(id);
    return {};
  }

  Result<void> remove_files(const IncomingCall& call) {
    for (const auto& file : call.files) CALLVAULT_TRY(os::remove_file(file.path));
    CALLVAULT_TRY(remove_control_files(context_.layout, call.id));
    return os::sync_folder(context_.layout.incoming());
  }

  // New generations of every bucket that gains something.
  Result<void> stage() {
    std::map<BucketKey, std::vector<Registration*>> by_day;
    std::map<std::uint32_t, std::vector<Registration*>> by_bucket;
    for (auto& r : fresh_) {
      if (r.known)
        by_bucket[r.known->bucket].push_back(&r);
      else
        by_day[{r.retention_class, context_.zone.civil_day(r.row.started_at)}].push_back(&r);
    }
    for (auto& [key, list] : by_day) {
      std::size_t next = 0;
      for (auto& [number, bucket] : context_.state.edit().buckets) {
        if (bucket.retention_class != key.retention_class || bucket.day != key.day) continue;
        for (std::size_t room = keys::kBucketCapacity - std::min<std::size_t>(bucket.recordings, keys::kBucketCapacity);
             room > 0 && next < list.size(); --room)
          by_bucket[number].push_back(list[next++]);
      }
      while (next < list.size()) {
        CALLVAULT_TRY_ASSIGN(keys::Bucket * bucket, context_.state.add_bucket(key.retention_class, key.day));
        for (std::size_t room = keys::kBucketCapacity; room > 0 && next < list.size(); --room)
          by_bucket[bucket->number].push_back(list[next++]);
      }
    }
    for (auto& [number, list] : by_bucket) CALLVAULT_TRY(stage_bucket(number, list));
    return {};
  }

  Result<void> stage_bucket(std::uint32_t number, const std::vector<Registration*>& list) {
    keys::Bucket& bucket = context_.state.edit().buckets.at(number);
    CALLVAULT_TRY_ASSIGN(const auto node, context_.state.open_node(number));
    CALLVAULT_TRY_ASSIGN(auto rows, node.rows());
    for (Registration* r : list) {
      if (r->known) {
        std::erase_if(rows, [&](const NodeRow& row) { return row.id == r->row.id; });
      } else {
        CALLVAULT_TRY_ASSIGN(const bool folded, fold_repeated(context_, bucket, rows, *r));
        if (folded) {
          ++report_.folded;
          CALLVAULT_TRY(log("folded", *r));
          continue;
        }
      }
      rows.push_back(r->row);
      if (!r->row.in_progress) {
        ++report_.settled;
        moves_.push_back({r->row.id, number});
      }
      CALLVAULT_TRY(log(r->row.in_progress ? "registered" : "ingested", *r));
      details_[number].emplace(r->row.id, &r->details);
    }
    if (rows.empty()) return {};
    previous_[number] = bucket.generation;
    CALLVAULT_TRY(context_.state.stage_node(bucket, rows));
    touched_.insert(number);
    return {};
  }

  Result<void> log(std::string_view event, const Registration& r) {
    std::map<std::string, std::string> facts{{"id", r.row.id.text()}};
    if (std::find(report_.objected.begin(), report_.objected.end(), r.row.id) != report_.objected.end())
      facts.emplace("opted_out", "yes");
    if (r.row.flags.interrupted) facts.emplace("interrupted", "yes");
    if (r.row.flags.duplicate_call_id) facts.emplace("duplicate_call_id", "yes");
    if (event == "folded") facts.emplace("into", r.folded_into.text());
    CALLVAULT_TRY_ASSIGN(auto entry, context_.log.entry(event, std::move(facts)));
    entries_.push_back(std::move(entry));
    return {};
  }

  // Rows that are new are added; a bucket whose rows changed otherwise is rebuilt.
  Result<void> index(std::uint32_t number) {
    const keys::Bucket& bucket = context_.state.directory().buckets.at(number);
    const auto& details = details_[number];
    const bool additions_only = std::none_of(fresh_.begin(), fresh_.end(), [&](const Registration& r) {
      return (r.known && r.known->bucket == number) || (r.row.flags.duplicate_call_id && details.contains(r.row.id)) ||
             r.folded_into != RecordingId();
    });
    if (additions_only) {
      CALLVAULT_TRY_ASSIGN(const auto node, context_.state.open_node(number));
      catalog::Blinder blinder(bucket.index_key);
      std::vector<catalog::Entry> entries;
      for (const auto& [id, row] : details) {
        CALLVAULT_TRY_ASSIGN(const auto node_row, node.find(id));
        if (!node_row) return fail(Errc::unexpected, "a settled recording is not in its node");
        CALLVAULT_TRY(context_.catalog.seed(blinder, number, *row));
        CALLVAULT_TRY_ASSIGN(auto entry, context::make_entry(bucket, *node_row, *row, blinder));
        entries.push_back(std::move(entry));
      }
      CALLVAULT_TRY_ASSIGN(const auto span, context::seal_span(bucket, node));
      CALLVAULT_TRY_ASSIGN(const bool added,
                           context_.catalog.add_rows(number, previous_[number], bucket.generation, entries, span));
      if (added) return {};
    }
    return context::renew_rows(context_, {&number, 1});
  }

  Result<void> move_files() {
    std::set<os::Path> folders;
    for (const auto& [id, number] : moves_) {
      const auto it = context_.state.directory().buckets.find(number);
      if (it == context_.state.directory().buckets.end()) continue;
      const os::Path folder = context::recording_folder(context_.layout, it->second.day);
      if (folders.insert(folder).second) {
        CALLVAULT_TRY(os::make_folder(folder));
        CALLVAULT_TRY(os::sync_folder(context_.layout.recordings()));
      }
      CALLVAULT_TRY_ASSIGN(const auto node, context_.state.open_node(number));
      CALLVAULT_TRY_ASSIGN(const auto row, node.find(id));
      if (!row) continue;
      for (const auto& track : row->tracks) {
        const std::string name = base::sealed_file_name(id, track.name, track.segment);
        if (os::exists(context_.layout.incoming() / name))
          CALLVAULT_TRY(os::rename_file(context_.layout.incoming() / name, folder / name));
      }
      CALLVAULT_TRY(remove_control_files(context_.layout, id));
    }
    for (const auto& r : fresh_) {
      if (r.folded_into == RecordingId()) continue;
      for (const auto& track : r.row.tracks)
        CALLVAULT_TRY(
            os::remove_file(context_.layout.incoming() / base::sealed_file_name(r.row.id, track.name, track.segment)));
      CALLVAULT_TRY(remove_control_files(context_.layout, r.row.id));
    }
    for (const auto& folder : folders) CALLVAULT_TRY(os::sync_folder(folder));
    return os::sync_folder(context_.layout.incoming());
  }

  context::Context& context_;
  SettleMode mode_;
  SettleReport report_;
  std::optional<context::OptOuts> opt_outs_;
  std::optional<context::Aliases> aliases_;
  std::list<Registration> fresh_;  // a list: nodes' rows keep views into its secrets
  std::vector<std::pair<RecordingId, std::uint32_t>> moves_;
  std::vector<journal::Entry> entries_;
  std::set<std::uint32_t> touched_;
  std::map<std::uint32_t, std::uint64_t> previous_;
  std::map<std::uint32_t, std::map<RecordingId, const catalog::Row*>> details_;
};

}  // namespace

Result<SettleReport> settle(context::Context& context, SettleMode mode) { return Settling(context, mode).run(); }

Result<std::vector<std::string>> find_unreadable(const context::Context& context) {
  CALLVAULT_TRY_ASSIGN(const auto calls, list_incoming(context.layout));
  std::vector<std::string> out;
  for (const auto& call : calls) {
    if (call.alive()) continue;
    CALLVAULT_TRY_ASSIGN(const auto known, find_registered(context, call.id));
    if (known) continue;
    if (const auto why = why_unreadable(context, call))
      out.push_back("recording " + call.id.text() + " in incoming/: " + why->message);
  }
  return out;
}

Result<Unsettled> count_unsettled(const base::Layout& layout) {
  CALLVAULT_TRY_ASSIGN(const auto calls, list_incoming(layout));
  Unsettled out;
  for (const auto& call : calls) (call.alive() ? out.in_progress : out.waiting) += 1;
  return out;
}

}  // namespace callvault::capture
