// How far a breach reached: from the key epochs, the key state and the journal.
#include <algorithm>
#include <unordered_set>

#include "callvault/breach.h"
#include "context/rows.h"
#include "os/host.h"
#include "over_socket.h"
#include "rights/reach.h"
#include "session.h"
#include "shred/intent.h"

namespace callvault {
namespace {

using keys::NodeRow;

constexpr std::uint64_t kFirstEpoch = 1;

struct Rotation {
  Time at{};
  std::uint64_t epoch = 0;  // that began with it
};

// What the journal tells of the time in question.
struct Past {
  std::vector<Rotation> rotations;  // in the journal's order
  std::set<RecordingId> opened;     // by the person
  std::uint64_t exported = 0;

  std::uint64_t epoch_at(Time time) const {
    std::uint64_t out = kFirstEpoch;
    for (const auto& r : rotations)
      if (r.at <= time) out = std::max(out, r.epoch);
    return out;
  }
  // When the root key in use at `time` was forgotten; none when it still is the present one.
  std::optional<Time> end_of_epoch(Time time) const {
    const std::uint64_t epoch = epoch_at(time);
    for (const auto& r : rotations)
      if (r.epoch > epoch) return r.at;
    return std::nullopt;
  }
};

class Scoping {
 public:
  Scoping(const Vault::Impl& vault, context::Context& context, Time from, Time to, const Exposure& exposed,
          bool with_recordings)
      : context_(context),
        from_(from),
        to_(to),
        exposed_(exposed),
        with_recordings_(with_recordings),
        keeper_inside_(os::is_inside(vault.keeper_folder, vault.layout.root)) {}

  Result<BreachScope> run() {
    out_.exposed = exposed_.kind;
    if (exposed_.kind == Exposure::Kind::person) {
      CALLVAULT_TRY_ASSIGN(reach_, rights::Reach::of(context_, exposed_.person));
    }
    CALLVAULT_TRY(read_journal());
    if (reach_) reach_->look_at(from_, to_);
    out_.first_epoch = past_.epoch_at(from_);
    out_.last_epoch = past_.epoch_at(to_);
    switch (exposed_.kind) {
      case Exposure::Kind::keeper:
        CALLVAULT_TRY(by_keeper());
        break;
      case Exposure::Kind::disk:
        CALLVAULT_TRY(by_disk());
        break;
      case Exposure::Kind::person:
        CALLVAULT_TRY(by_person());
        break;
      case Exposure::Kind::backup:
        CALLVAULT_TRY(by_backup());
        break;
    }
    if (out_.gone_since > 0)
      out_.because.push_back("of " + std::to_string(out_.gone_since) +
                             " recordings shredded since nobody can tell any more whose they were");
    return std::move(out_);
  }

 private:
  Result<void> read_journal() {
    return context_.log.journal().for_each(0, [&](std::uint64_t, const journal::Entry& entry) -> Result<bool> {
      if (entry.event == shred::kDoneEvent) {
        const auto epoch = entry.facts.find("epoch");
        if (epoch != entry.facts.end())
          past_.rotations.push_back({entry.at, std::strtoull(epoch->second.c_str(), nullptr, 10)});
      }
      if (reach_) reach_->read(entry);
      if (reach_ && entry.at >= from_ && entry.at <= to_) read_opening(entry);
      return true;
    });
  }

  void read_opening(const journal::Entry& entry) {
    // What somebody sealed to another left the vault as what they exported did.
    const bool exported = entry.event == "exported" || entry.event == "copied" || entry.event == "disclosed";
    if (!exported && entry.event != "opened") return;
    const auto id = entry.facts.find("id");
    const auto actor = context::open_actor(entry, context_.state.directory());
    if (id == entry.facts.end() || !actor || *actor != exposed_.person) return;
    const auto parsed = RecordingId::parse(id->second);
    if (!parsed) return;
    past_.opened.insert(*parsed);
    if (exported) ++past_.exported;
  }

  Result<void> by_keeper() {
    // Its copy opens every state of the folder until it was forgotten, also those of after the breach.
    const auto end = past_.end_of_epoch(to_);
    CALLVAULT_TRY(count_present(from_, end.value_or(std::max(to_, context_.now)), {true, false, false}));
    out_.because.push_back(end ? "the root key of that time was forgotten on " + context_.zone.rfc3339(*end) +
                                     ": what was recorded until then counts, as a copy of the key opens it"
                               : "the root key of that time is still the present one: shred or rotate to forget it");
    out_.because.emplace_back(
        "it is assumed that the vault's folder of that time was taken too; a key without it opens nothing");
    out_.because.emplace_back("voices stay closed: they need a review key besides, see --exposed person:NAME");
    return {};
  }

  Result<void> by_disk() {
    if (keeper_inside_) {
      out_.because.emplace_back("the keeper lies inside the vault's folder: who has the one has the other");
      return by_keeper();
    }
    out_.because.emplace_back("without the keeper's root key nothing in the vault's folder opens");
    return count_present(from_, to_, {});
  }

  Result<void> by_person() {
    CALLVAULT_TRY(count_present(from_, to_, {}));
    out_.opened = past_.opened.size();
    out_.exported = past_.exported;
    for (auto& why : reach_->because()) out_.because.push_back(std::move(why));
    out_.because.emplace_back(
        "a person opens nothing without the keeper's side, which journals each opening first: \"opened\" is what was "
        "opened, the rest is what could have been");
    out_.because.emplace_back("who also could run commands as the vault's own account had the keeper: ask for both");
    return {};
  }

  Result<void> by_backup() {
    const Time made = *exposed_.made;
    CALLVAULT_TRY(count_present(made, made, {}));
    const auto end = past_.end_of_epoch(made);
    out_.because.emplace_back("a backup holds no keeper, so nothing in it opens by itself");
    for (const auto& keeper : context_.state.directory().keepers)
      if (keeper.oldest < context_.state.directory().epoch)
        out_.because.emplace_back(
            "a keeper that was not there at a rotation may still open it: 'callvault keeper "
            "status' tells which");
    out_.because.push_back(end ? "the root key that opens it was forgotten on " + context_.zone.rfc3339(*end) +
                                     ": no keeper of today opens it either, unless one is behind"
                               : "the root key that opens it is still the present one: keep the keeper apart, and "
                                 "shred or rotate to forget it");
    return {};
  }

  using Open = rights::Reach::Answer;

  void count(const RecordingId& id, std::int32_t day, bool gone, const Open& open) {
    ++out_.present;
    out_.gone_since += gone ? 1 : 0;
    out_.details_open += open.details ? 1 : 0;
    out_.audio_open += open.released ? 1 : 0;
    out_.key_open += open.key_fits ? 1 : 0;
    if (with_recordings_)
      out_.recordings.push_back(
          {id, base::day_text(day), gone, past_.opened.contains(id), open.released, open.key_fits});
  }

  // Recordings that existed at some time between `from` and `to`; `open`: what holds of all, when no person is asked
  // for.
  Result<void> count_present(Time from, Time to, const Open& open) {
    std::unordered_set<std::string> numbers;
    std::uint64_t nameless = 0;
    for (const auto& item : context_.state.directory().buckets) {
      const keys::Bucket& bucket = item.second;
      if (bucket.day > context_.zone.civil_day(to)) continue;
      CALLVAULT_TRY_ASSIGN(const auto node, context_.state.open_node(item.first));
      std::vector<NodeRow> told;
      for (std::size_t i = 0; i < node.size(); ++i) {
        CALLVAULT_TRY_ASSIGN(auto row, node.row(i));
        if (row.started_at > to) continue;
        const Open how = reach_ ? reach_->answer(row, bucket.day) : open;
        count(row.id, bucket.day, false, how);
        if (how.details) told.push_back(std::move(row));
      }
      CALLVAULT_TRY_ASSIGN(const auto details, context::rows_of(context_, bucket, told));
      for (const auto& row : details) {
        const std::string number = row ? customer_of(*row) : "";
        if (number.empty())
          ++nameless;
        else
          numbers.insert(number);
      }
    }
    CALLVAULT_TRY(context_.catalog.for_each_tombstone([&](const Tombstone& t) {
      const auto day = base::parse_day(t.start_day);
      if (t.shredded_at < from || !day || *day > context_.zone.civil_day(to)) return true;
      count(t.id, *day, true, reach_ ? reach_->answer(t, *day) : open);
      return true;
    }));
    out_.people = numbers.size();
    if (nameless > 0)
      out_.because.push_back(std::to_string(nameless) +
                             " recordings tell no number of the customer: they are not in "
                             "the count of people");
    return {};
  }

  static const std::string& customer_of(const catalog::Row& details) {
    return details.direction == Direction::out ? details.called : details.caller;
  }

  context::Context& context_;
  Time from_, to_;
  const Exposure& exposed_;
  bool with_recordings_, keeper_inside_;
  Past past_;
  std::optional<rights::Reach> reach_;  // when it is a person
  BreachScope out_;
};

}  // namespace

Result<Exposure> parse_exposure(const Vault& vault, std::string_view text) {
  constexpr std::string_view kPerson = "person:";
  constexpr std::string_view kBackup = "backup:";
  Exposure out;
  if (text == "keeper") return out;
  if (text == "disk") {
    out.kind = Exposure::Kind::disk;
    return out;
  }
  if (text.starts_with(kPerson) && text.size() > kPerson.size()) {
    out.kind = Exposure::Kind::person;
    out.person = text.substr(kPerson.size());
    return out;
  }
  if (text.starts_with(kBackup)) {
    const auto date = text.substr(kBackup.size());
    out.kind = Exposure::Kind::backup;
    CALLVAULT_TRY_ASSIGN(out.made, vault.parse_time(date));
    // Of a day nobody knows the hour: what was recorded until its end may be in it.
    if (base::parse_day(date)) {
      CALLVAULT_TRY_ASSIGN(const Time next, vault.impl().zone.add(*out.made, Period{0, 1}));
      out.made = next - std::chrono::milliseconds(1);
    }
    return out;
  }
  return fail(Errc::usage, "what was exposed is one of keeper, disk, person:NAME, backup:DATE");
}

Result<BreachScope> breach_scope(Vault& vault, const Person& person, Time from, Time to, const Exposure& exposed,
                                 bool with_recordings) {
  if (vault.impl().remote)
    return signed_call<BreachScope>(vault.impl(), "breach_scope", person, from, to, exposed, with_recordings);
  if (from > to) return fail(Errc::usage, "the time of the breach would end before it began");
  CALLVAULT_TRY_ASSIGN(const auto unsettled, settle_if_free(vault.impl()));
  CALLVAULT_TRY_ASSIGN(const auto session, Session::begin(vault.impl(), Access::look, person.name()));
  CALLVAULT_TRY(session->require(person, {Role::officer, Role::auditor}, "breach_scope"));
  auto& context = session->context();
  CALLVAULT_TRY_ASSIGN(auto scope, Scoping(vault.impl(), context, from, to, exposed, with_recordings).run());
  if (unsettled > 0)
    scope.because.push_back(std::to_string(unsettled) + " calls are not settled yet, and not in these counts");
  CALLVAULT_TRY(context.log.append("breach_scoped", {{"present", std::to_string(scope.present)}}));
  return scope;
}

}  // namespace callvault
