#include "rights/reach.h"

#include <algorithm>

#include "retention/listening.h"
#include "sealed/header.h"

namespace callvault::rights {
namespace {

// A start may lie this far ahead of the recording, and a new review key reaches the recorders a little after its entry.
constexpr std::chrono::minutes kStartSlack{10};
constexpr std::chrono::hours kLongestDay{26};

bool any_of_roles(std::uint8_t roles, std::initializer_list<Role> wanted) {
  return std::any_of(wanted.begin(), wanted.end(),
                     [roles](Role role) { return (roles & static_cast<unsigned>(role)) != 0; });
}

std::optional<std::uint64_t> number_fact(const journal::Entry& entry, const char* name) {
  const auto it = entry.facts.find(name);
  if (it == entry.facts.end()) return std::nullopt;
  return std::strtoull(it->second.c_str(), nullptr, 10);
}

}  // namespace

Reach::Reach(const context::Context& context, People people, keys::PersonEntry entry)
    : context_(&context),
      people_(std::move(people)),
      entry_(std::move(entry)),
      reads_details_(any_of_roles(entry_.roles, {Role::officer, Role::reviewer, Role::evaluator, Role::operator_})),
      holds_keys_(any_of_roles(entry_.roles, {Role::officer, Role::reviewer, Role::evaluator})) {
  if (any_of_roles(entry_.roles, {Role::reviewer, Role::evaluator}))
    purposes_ = context.config.people.purposes_of(entry_.roles);
}

Result<Reach> Reach::of(const context::Context& context, const std::string& name) {
  const auto& people = context.state.directory().people;
  const auto it = people.find(name);
  if (it == people.end()) return fail(Errc::not_found, "no person of that name");
  CALLVAULT_TRY_ASSIGN(auto known, People::load(context));
  return Reach(context, std::move(known), it->second);
}

void Reach::read(const journal::Entry& entry) {
  const auto& directory = context_->state.directory();
  if (entry.event == "duty_set") {
    duties_.emplace_back(entry.at, number_fact(entry, "number").value_or(0));
  } else if (entry.event == "duty_accepted") {
    const auto actor = context::open_actor(entry, directory);
    if (!actor || *actor == entry_.name) accepted_.emplace_back(entry.at, number_fact(entry, "number").value_or(0));
  } else if (entry.event == "person_disabled" || entry.event == "person_renewed") {
    // Entries of version 1 do not say whom they are about.
    const auto named = context::open_person(entry, directory);
    const bool about_nobody = !named || named->empty();
    if (!about_nobody && *named != entry_.name) return;
    if (entry.event == "person_renewed") {
      renewed_.push_back(entry.at);
      return;
    }
    const auto key = number_fact(entry, "review_key");
    (about_nobody ? some_disabled_at_ : disabled_at_) = entry.at;
    if (key) (about_nobody ? some_lacks_from_ : lacks_from_) = static_cast<std::uint32_t>(*key);
  }
}

std::vector<Reach::Span> Reach::able_by_duties() const {
  std::vector<Span> out;
  Time free_until = duties_.empty() ? Time::max() : duties_.front().first;
  out.push_back({Time::min(), free_until});
  const bool assessed = people_.of(entry_.name).assessed_at.has_value();  // is never taken back
  for (std::size_t i = 0; i < duties_.size(); ++i) {
    const auto& [since, number] = duties_[i];
    const Time until = i + 1 < duties_.size() ? duties_[i + 1].first : Time::max();
    const auto it =
        std::find_if(accepted_.begin(), accepted_.end(), [n = number](const auto& a) { return a.second == n; });
    if (assessed && it != accepted_.end()) out.push_back({std::max(since, it->first), until});
  }
  return out;
}

void Reach::look_at(Time from, Time to) {
  from_ = from;
  to_ = to;
  if (!entry_.disabled) {
    disabled_at_.reset();
    lacks_from_.reset();
  } else if (!disabled_at_) {
    disabled_at_ = some_disabled_at_;  // the last of them: not sooner than it was
    lacks_from_ = some_lacks_from_;
  }
  // An end to their access that was said after `from` tells nothing of then.
  const bool renewed = std::any_of(renewed_.begin(), renewed_.end(), [from](Time at) { return at >= from; });
  if (!renewed) expired_at_ = people_.of(entry_.name).expires_at;
  const Time begin = std::max(from, entry_.since);
  Time end = to;
  if (disabled_at_) end = std::min(end, *disabled_at_);
  if (expired_at_) end = std::min(end, *expired_at_);
  spans_.clear();
  for (const Span& able : able_by_duties()) {
    const Span span{std::max(begin, able.from), std::min(end, able.to)};
    if (span.from <= span.to) spans_.push_back(span);
  }
}

bool Reach::is_told(const Subject& subject) const {
  return reads_details_ && std::any_of(spans_.begin(), spans_.end(), [&](const Span& span) {
           return subject.begun_first <= span.to && (!subject.gone_at || *subject.gone_at >= span.from);
         });
}

bool Reach::is_released(const Subject& subject) const {
  if (subject.quarantined) return false;
  std::optional<Time> evaluation_until;
  if (const auto& window = context_->config.people.evaluation_window)
    if (const auto until = context_->zone.add(subject.begun_last, *window)) evaluation_until = *until;
  for (const Span& span : spans_) {
    if (subject.begun_first > span.to || (subject.gone_at && *subject.gone_at < span.from)) continue;
    // Whatever ends an access ends it for good: the earliest instant is the one that allows most.
    const Time at = std::max(span.from, subject.begun_first);
    for (const Purpose purpose : purposes_) {
      const bool over = subject.over && at >= *subject.over && purpose != Purpose::legal_claims;
      const retention::ListenRequest wish{at, purpose, true, purposes_, evaluation_until};
      if (!over && !retention::deny_listening(wish)) return true;
    }
  }
  return false;
}

bool Reach::sealed_to_theirs(const keys::NodeRow& row, std::int32_t day) const {
  if (!holds_keys_) return false;
  if (!lacks_from_ || !disabled_at_ || row.started_at < *disabled_at_) return true;
  return std::any_of(row.tracks.begin(), row.tracks.end(), [&](const keys::TrackSecret& track) {
    const auto path = context::find_sealed_file(context_->layout, day, row.id, track.name, track.segment);
    if (!path) return true;
    const auto file = os::File::open_read(*path, os::Links::refuse);
    if (!file) return true;
    const auto header = sealed::read_header(*file);
    return !header || header->hash != track.header_hash || header->review_key < *lacks_from_;
  });
}

Reach::Answer Reach::answer(const keys::NodeRow& row, std::int32_t day) const {
  const Consent caller = context::deciding_caller_consent(row);
  const Consent agent = context::deciding_agent_consent(row);
  // Nobody's consent goes back to these two: what is so now always was.
  const bool quarantined = row.basis == Basis::consent &&
                           (caller == Consent::unknown || caller == Consent::pending || agent == Consent::pending);
  const Subject subject{row.started_at, row.started_at, row.expires_at, std::nullopt, quarantined};
  Answer out{is_told(subject), is_released(subject), sealed_to_theirs(row, day)};
  out.released = out.released && out.key_fits;
  return out;
}

Reach::Answer Reach::answer(const Tombstone& tombstone, std::int32_t day) const {
  const Time begin{std::chrono::sys_days{std::chrono::days{day}}};
  // Whatever the zone.
  const Subject subject{begin - kLongestDay / 2, begin + kLongestDay + kLongestDay / 2, std::nullopt,
                        tombstone.shredded_at, false};
  const bool later = lacks_from_ && disabled_at_ && subject.begun_first > *disabled_at_ + kStartSlack;
  Answer out{is_told(subject), is_released(subject), holds_keys_ && !later};
  out.released = out.released && out.key_fits;
  return out;
}

std::vector<std::string> Reach::because() const {
  const auto when = [this](Time at) { return context_->zone.rfc3339(at); };
  std::vector<std::string> out;
  if (spans_.empty()) {
    std::string why = "at no time asked for could " + entry_.name + " act, so the vault would have released nothing: ";
    if (entry_.since > to_)
      why += "added on " + when(entry_.since);
    else if (disabled_at_ && *disabled_at_ < from_)
      why += "disabled on " + when(*disabled_at_);
    else if (expired_at_ && *expired_at_ < from_)
      why += "their access ended on " + when(*expired_at_);
    else
      why += "not assessed, or the duty text not accepted";
    out.push_back(std::move(why));
  } else {
    out.push_back(entry_.name + " could act from " + when(spans_.front().from) + " to " + when(spans_.back().to) +
                  (spans_.size() > 1 ? ", with gaps while a duty text was not accepted" : ""));
  }
  if (!holds_keys_)
    out.push_back("the roles of " + entry_.name + " hold no review key");
  else if (lacks_from_ && disabled_at_)
    out.push_back(
        "they hold review keys 1 to " + std::to_string(*lacks_from_ - 1) +
        "; what was recorded since is sealed to later ones, and what began before counts as sealed to theirs");
  else
    out.push_back("their identity holds every review key up to " +
                  std::to_string(context_->state.directory().review_number));
  if (holds_keys_ && purposes_.empty()) out.emplace_back("but none of their roles opens recordings");
  out.emplace_back(
      "\"voices\" is what the vault would have released to them; \"review keys\" is what these fit, had the keeper's "
      "half been taken elsewhere");
  out.emplace_back(
      "it is assumed that roles and vault.toml were as they are now, that an assessment stood since it was first made, "
      "that consent, holds and restrictions did not stand in the way unless they always did, and that an end to their "
      "access counts only if it was not changed since");
  return out;
}

}  // namespace callvault::rights
