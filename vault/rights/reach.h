// How far one of the staff could reach at some time: when they could act, what the vault would have released to them,
// and which recordings their review keys fit. Where the past is not known, what reaches further is assumed.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "context/context.h"
#include "rights/people.h"

namespace callvault::rights {

class Reach {
 public:
  // Errors: not_found (no such person), corrupt.
  static Result<Reach> of(const context::Context& context, const std::string& name);

  // First every entry of the journal, in its order; then the time in question.
  void read(const journal::Entry& entry);
  void look_at(Time from, Time to);

  struct Answer {
    bool details = false;   // the vault would have told whose it is
    bool released = false;  // the vault would have released its voices
    bool key_fits = false;  // the person's review keys open it, had the keeper's half come from elsewhere
  };
  Answer answer(const keys::NodeRow& row, std::int32_t day) const;
  // Of what was shredded since only the day is known.
  Answer answer(const Tombstone& tombstone, std::int32_t day) const;

  // One sentence each: when they could act, with which keys, and what is assumed.
  std::vector<std::string> because() const;

 private:
  struct Span {
    Time from{}, to{};
  };
  // A recording as far as it matters here; the earliest and the latest it may have begun.
  struct Subject {
    Time begun_first{}, begun_last{};
    std::optional<Time> over;     // nobody opens it any more, but for legal claims
    std::optional<Time> gone_at;  // shredded
    bool quarantined = false;     // never opened for anybody
  };

  Reach(const context::Context& context, People people, keys::PersonEntry entry);
  std::vector<Span> able_by_duties() const;
  bool is_released(const Subject& subject) const;
  bool is_told(const Subject& subject) const;
  bool sealed_to_theirs(const keys::NodeRow& row, std::int32_t day) const;

  const context::Context* context_;
  People people_;
  keys::PersonEntry entry_;
  std::set<Purpose> purposes_;  // for which they may open; empty: none
  bool reads_details_ = false, holds_keys_ = false;

  std::vector<std::pair<Time, std::uint64_t>> duties_;         // set when, which number
  std::vector<std::pair<Time, std::uint64_t>> accepted_;       // by this person
  std::vector<Time> renewed_;                                  // this person, or nobody knows whom
  std::optional<Time> disabled_at_, some_disabled_at_;         // the second: whom, the journal does not say
  std::optional<std::uint32_t> lacks_from_, some_lacks_from_;  // the first review key they never had
  std::optional<Time> expired_at_;

  Time from_{}, to_{};
  std::vector<Span> spans_;  // when they could act, within from_ and to_
};

}  // namespace callvault::rights
