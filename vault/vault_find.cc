// Finding and showing.
#include <algorithm>
#include <iterator>
#include <map>
#include <set>
#include <span>

#include "base/phone.h"
#include "capture/folded.h"
#include "context/rows.h"
#include "over_socket.h"
#include "retention/plan.h"
#include "rights/notices.h"
#include "sealed/reader.h"
#include "subject.h"

namespace callvault {
namespace {

using keys::NodeRow;

constexpr std::initializer_list<Role> kFinders{Role::officer, Role::reviewer, Role::evaluator, Role::operator_};

// Rows that the catalogue is asked for at once.
constexpr std::size_t kRowsAtOnce = 64;

// One recording that the key state says matches. Its secret is a copy, so that the node can be closed: a day may have
// many buckets, and locked memory is scarce.
struct Match {
  NodeRow row;
  std::uint32_t bucket = 0;
  crypto::Key secret;
};

Result<Match> keep(NodeRow row, std::uint32_t bucket) {
  CALLVAULT_TRY_ASSIGN(auto secret, crypto::Key::copy_of(row.record_secret));
  row.record_secret = secret.reveal();
  for (auto& t : row.tracks) t.secret = {};
  return Match{std::move(row), bucket, std::move(secret)};
}

bool is_officer_acting(const Session& session, const Person& person) {
  const auto roles = session.directory().people.at(person.name()).roles;
  return (roles & static_cast<std::uint8_t>(Role::officer)) != 0;
}

// The number of somebody whose own voice had to go, while the agent's stays: for whom answers their requests, and for
// nobody else.
std::string& number_of_customer(CallRecord& record) {
  return record.direction == Direction::out && !record.called.empty() ? record.called : record.caller;
}

class Finding {
 public:
  using Visit = std::function<bool(const CallRecord&)>;
  Finding(context::Context& context, const Query& query, const Visit& visit, bool by_officer)
      : context_(context), query_(query), visit_(visit), by_officer_(by_officer) {}

  // Whether the catalogue alone tells in which buckets to look.
  static bool by_token(const Query& query) {
    return (query.caller || query.called || query.agent || query.call_id) && query.state != State::gone;
  }

  // By caller, called, agent or call id: the recordings that have all the values asked for. Errors: corrupt when the
  // catalogue is damaged or behind the key state.
  Result<void> search() { return by_token(query_) ? search_tokens() : Result<void>(); }

  // REQUIRES: `search`.
  Result<std::uint64_t> run() {
    if (query_.limit && *query_.limit == 0) return std::uint64_t{0};
    if (query_.state == State::gone) return tombstones();
    std::map<std::int32_t, std::vector<std::uint32_t>, std::greater<>> days;
    for (const auto& [number, bucket] : context_.state.directory().buckets)
      if (wanted(bucket)) days[bucket.day].push_back(number);
    for (const auto& [day, buckets] : days) {
      CALLVAULT_TRY(one_day(day, buckets));
      if (waiting_.size() < wanted()) continue;
      CALLVAULT_TRY_ASSIGN(const bool more, show());
      if (!more) return found_;
    }
    CALLVAULT_TRY(show());
    return found_;
  }

 private:
  Result<void> search_tokens() {
    const std::pair<const std::optional<std::string>&, catalog::Field> fields[] = {
        {query_.caller, catalog::Field::caller},
        {query_.called, catalog::Field::called},
        {query_.agent, catalog::Field::agent},
        {query_.call_id, catalog::Field::call_id}};
    std::vector<catalog::BucketKey> keys;
    for (const auto& [number, bucket] : context_.state.directory().buckets)
      if (on_a_wanted_day(bucket)) keys.push_back({number, bucket.generation, &bucket.index_key});
    for (const auto& [text, field] : fields) {
      if (!text) continue;
      std::string value = *text;
      if (field == catalog::Field::caller || field == catalog::Field::called) {
        CALLVAULT_TRY_ASSIGN(value, base::normalise_number(*text, context_.config.country_code));
      }
      CALLVAULT_TRY_ASSIGN(auto hits, context_.catalog.lookup_all(keys, field, value));
      if (!hits.stale.empty()) return fail(Errc::corrupt, "the catalogue is behind the key state; run reindex");
      std::set<catalog::Hit> now(hits.found.begin(), hits.found.end());
      if (by_token_) std::erase_if(now, [&](const catalog::Hit& hit) { return !by_token_->contains(hit); });
      by_token_ = std::move(now);
    }
    for (const auto& hit : *by_token_) hits_[hit.bucket].push_back(hit.id);
    return {};
  }

  bool wanted(const keys::Bucket& bucket) const {
    return (!by_token_ || hits_.contains(bucket.number)) && on_a_wanted_day(bucket);
  }

  bool on_a_wanted_day(const keys::Bucket& bucket) const {
    if (query_.from && bucket.day < context_.zone.civil_day(*query_.from)) return false;
    return !(query_.to && bucket.day > context_.zone.civil_day(*query_.to));
  }

  bool in_range(Time start) const {
    return !(query_.from && start < *query_.from) && !(query_.to && start >= *query_.to);
  }

  bool matches(const NodeRow& row) const {
    if (!in_range(row.started_at)) return false;
    if (query_.consent && row.caller_consent != *query_.consent) return false;
    if (query_.interrupted_only && !row.flags.interrupted) return false;
    const State state = state_of(row, context_.now);
    if (state == State::expired) return false;
    return !query_.state || state == *query_.state;
  }

  // How many rows are enough for going on to show them.
  std::size_t wanted() const {
    return query_.limit ? std::min<std::size_t>(*query_.limit - found_, kRowsAtOnce) : kRowsAtOnce;
  }

  Result<void> one_day(std::int32_t day, const std::vector<std::uint32_t>& buckets) {
    if (query_.consent && !by_token_) {
      CALLVAULT_TRY_ASSIGN(const bool any,
                           context_.catalog.any_consent(*query_.consent, static_cast<std::uint32_t>(day)));
      if (!any) return {};
    }
    std::vector<Match> found;
    oldest_shown_.reset();
    if (by_token_) {
      for (const auto number : buckets) CALLVAULT_TRY(one_bucket(number, found));
    } else {
      CALLVAULT_TRY(newest_first(buckets, found));
    }
    std::sort(found.begin(), found.end(), newer);
    std::move(found.begin(), found.end(), std::back_inserter(waiting_));
    return {};
  }

  // A bucket whose last call began before all that will be shown is not opened. One that does not say so might hold
  // any.
  Result<void> newest_first(const std::vector<std::uint32_t>& buckets, std::vector<Match>& found) {
    CALLVAULT_TRY_ASSIGN(const auto sealed, context_.catalog.sealed_spans(buckets));
    std::vector<std::pair<context::StartSpan, std::uint32_t>> spans;
    for (std::size_t i = 0; i < buckets.size(); ++i) {
      const auto span = context::open_span(context_.state.directory().buckets.at(buckets[i]), sealed[i]);
      spans.emplace_back(span.value_or(context::StartSpan{Time::min(), Time::max()}), buckets[i]);
    }
    std::stable_sort(spans.begin(), spans.end(),
                     [](const auto& a, const auto& b) { return a.first.last > b.first.last; });
    for (const auto& [span, number] : spans) {
      if ((query_.from && span.last < *query_.from) || (query_.to && span.first >= *query_.to)) continue;
      keep_shown(found, 0);
      if (oldest_shown_ && span.last < *oldest_shown_) break;
      CALLVAULT_TRY(one_bucket(number, found));
    }
    return {};
  }

  // Without conditions that only the row can answer, no more than `limit` of a day are ever shown: the others go once
  // there are many.
  void keep_shown(std::vector<Match>& found, std::size_t many) {
    if (!query_.limit || query_.direction || found.size() < *query_.limit + many) return;
    std::sort(found.begin(), found.end(), newer);
    found.erase(found.begin() + static_cast<std::ptrdiff_t>(*query_.limit), found.end());
    oldest_shown_ = found.back().row.started_at;
  }

  // What waits, newest first. False when no more is wanted.
  Result<bool> show() {
    const std::vector<Match> matches = std::exchange(waiting_, {});
    for (std::size_t at = 0; at < matches.size(); at += kRowsAtOnce) {
      const auto some = std::span(matches).subspan(at, std::min(kRowsAtOnce, matches.size() - at));
      std::vector<catalog::Hit> hits;
      for (const Match& match : some) hits.push_back({match.bucket, match.row.id});
      CALLVAULT_TRY_ASSIGN(const auto stored, context_.catalog.get_all(hits));
      auto next = stored.begin();
      for (const Match& match : some) {
        const bool there = next != stored.end() && next->id == match.row.id;
        CALLVAULT_TRY_ASSIGN(const bool more, show_one(match, there ? &*next : nullptr));
        if (!more) return false;
        if (there) ++next;
      }
    }
    return true;
  }

  Result<bool> show_one(const Match& match, const catalog::StoredRow* stored) {
    const keys::Bucket& bucket = context_.state.directory().buckets.at(match.bucket);
    CALLVAULT_TRY_ASSIGN(const auto details, context::row_from(context_, bucket, match.row, stored));
    if (query_.direction && details.direction != *query_.direction) return true;
    CallRecord record = to_record(bucket, match.row, details, context_.now);
    if (match.row.caller_shredded && !by_officer_) {
      std::string& number = number_of_customer(record);
      const bool asked_for = &number == &record.called ? query_.called.has_value() : query_.caller.has_value();
      if (asked_for) return true;
      number.clear();
    }
    ++found_;
    return visit_(record) && !(query_.limit && found_ >= *query_.limit);
  }

  static bool newer(const Match& a, const Match& b) {
    return std::tie(a.row.started_at, a.row.id) > std::tie(b.row.started_at, b.row.id);
  }

  Result<void> one_bucket(std::uint32_t number, std::vector<Match>& found) {
    const auto add = [&](NodeRow row) -> Result<void> {
      if (!matches(row)) return {};
      CALLVAULT_TRY_ASSIGN(auto match, keep(std::move(row), number));
      found.push_back(std::move(match));
      if (query_.limit) keep_shown(found, *query_.limit + 64);
      return {};
    };
    if (by_token_) {
      CALLVAULT_TRY_ASSIGN(auto node, context_.state.read_node(number));
      for (const auto& id : hits_.at(number)) {
        CALLVAULT_TRY_ASSIGN(auto row, node.find(id));
        if (row) CALLVAULT_TRY(add(std::move(*row)));
      }
      return {};
    }
    CALLVAULT_TRY_ASSIGN(const auto node, context_.state.open_node(number));
    for (std::size_t i = 0; i < node.size(); ++i) {
      // Most rows of a busy day are never shown: their start alone tells.
      const Time start = node.started_at(i);
      if (!in_range(start) || (oldest_shown_ && start < *oldest_shown_)) continue;
      CALLVAULT_TRY_ASSIGN(auto row, node.row(i));
      CALLVAULT_TRY(add(std::move(row)));
    }
    return {};
  }

  // What is gone can only be found by its day: nothing else is left of it.
  Result<std::uint64_t> tombstones() {
    if (query_.caller || query_.called || query_.agent || query_.call_id || query_.consent || query_.direction)
      return fail(Errc::usage, "of a gone recording only its day is left: ask with from and to alone");
    CALLVAULT_TRY(context_.catalog.for_each_tombstone([&](const Tombstone& t) {
      const auto start = context_.zone.parse(t.start_day);
      if (!start) return true;
      if (query_.from && *start + std::chrono::days(1) <= *query_.from) return true;
      if (query_.to && *start >= *query_.to) return true;
      CallRecord record;
      record.id = t.id;
      record.started_at = *start;
      record.duration_s = static_cast<double>(t.duration_s);
      record.state = State::gone;
      ++found_;
      return visit_(record) && !(query_.limit && found_ >= *query_.limit);
    }));
    return found_;
  }

  context::Context& context_;
  const Query& query_;
  const Visit& visit_;
  bool by_officer_;
  std::optional<std::set<catalog::Hit>> by_token_;
  std::map<std::uint32_t, std::vector<RecordingId>> hits_;
  std::uint64_t found_ = 0;
  std::vector<Match> waiting_;        // to be shown, newest first
  std::optional<Time> oldest_shown_;  // of the day, once it has given as many as are asked for
};

// By what was searched, never for whom.
std::string conditions_of(const Query& query) {
  std::string out;
  const auto add = [&](bool there, const char* word) {
    if (there) out += (out.empty() ? "" : ",") + std::string(word);
  };
  add(query.caller.has_value(), "caller");
  add(query.called.has_value(), "called");
  add(query.agent.has_value(), "agent");
  add(query.call_id.has_value(), "call_id");
  add(query.from.has_value() || query.to.has_value(), "date");
  add(query.consent.has_value(), "consent");
  add(query.direction.has_value(), "direction");
  add(query.state.has_value() || query.interrupted_only, "state");
  return out.empty() ? "all" : out;
}

// How consent was given stands in the headers alone. Where none can be read it is not known.
void add_evidence(const context::Context& context, std::int32_t day, const NodeRow& row, CallRecord& record) {
  const auto secret = crypto::Key::copy_of(row.record_secret);
  if (!secret) return;
  for (const auto& t : row.tracks) {
    const auto path = context::find_sealed_file(context.layout, day, row.id, t.name, t.segment);
    if (!path) continue;
    const auto reader = sealed::Reader::open(*path);
    if (!reader || reader->header().hash != t.header_hash) continue;
    const auto metadata = sealed::open_metadata(reader->header(), *secret);
    if (!metadata) continue;
    if (metadata->consent_offset_ms)
      record.consent_offset_s = static_cast<double>(*metadata->consent_offset_ms) / 1000.0;
    record.consent_method = metadata->consent_method;
    return;
  }
}

}  // namespace

Result<FindSummary> Vault::find(const Person& person, const Query& query,
                                const std::function<bool(const CallRecord&)>& visit) {
  if (impl_->remote) return signed_call<FindSummary>(*impl_, "find", person, query, visit);
  FindSummary summary;
  CALLVAULT_TRY_ASSIGN(summary.unsettled, settle_if_free(*impl_));
  Access access = Finding::by_token(query) ? Access::look_up : Access::look;
  for (;;) {
    CALLVAULT_TRY_ASSIGN(const auto session, Session::begin(*impl_, access, person.name()));
    CALLVAULT_TRY(session->require(person, kFinders, "find"));
    Finding finding(session->context(), query, visit, is_officer_acting(*session, person));
    const auto searched = finding.search();
    const bool stale = !searched && searched.error().code == Errc::corrupt;
    if (stale && access == Access::look_up) {
      access = Access::look;
      continue;
    }
    CALLVAULT_TRY(searched);
    CALLVAULT_TRY(session->context().log.append("listed", {{"by", conditions_of(query)}}));
    CALLVAULT_TRY_ASSIGN(summary.found, finding.run());
    return summary;
  }
}

Result<CallRecord> Vault::show(const Person& person, const RecordingId& id) {
  if (impl_->remote) return signed_call<CallRecord>(*impl_, "show", person, id);
  CALLVAULT_TRY(settle_if_free(*impl_));
  CALLVAULT_TRY_ASSIGN(const auto session, Session::begin(*impl_, Access::look, person.name()));
  CALLVAULT_TRY(session->require(person, kFinders, "show"));
  auto& context = session->context();
  const auto found = attempted(context, "show", id, locate(context, id));
  if (!found) return found.error();
  CALLVAULT_TRY(context.log.append("shown", {{"id", id.text()}}));
  const keys::Bucket& bucket = context.state.directory().buckets.at(found->bucket);
  CALLVAULT_TRY_ASSIGN(const auto details, context::row_of(context, bucket, found->row));
  CallRecord record = to_record(bucket, found->row, details, context.now);
  if (found->row.caller_shredded && !is_officer_acting(*session, person)) number_of_customer(record).clear();
  add_evidence(context, bucket.day, found->row, record);
  CALLVAULT_TRY_ASSIGN(const auto notices, rights::Notices::load(context));
  record.notice_state = notices.state_of(record.notice, record.started_at);
  return record;
}

Result<Tombstone> Vault::tombstone(const RecordingId& id) {
  if (impl_->remote) return account_call<Tombstone>(*impl_, "tombstone", id);
  CALLVAULT_TRY_ASSIGN(const auto found, impl_->catalog->tombstone(id));
  if (!found) return fail(Errc::not_found, "no tombstone of " + id.text());
  return *found;
}

Result<std::vector<Tombstone>> tombstones(Vault& vault, const std::vector<RecordingId>& ids) {
  constexpr std::size_t kAtOnce = 10'000;  // what fits into a request
  std::vector<Tombstone> out;
  for (std::size_t at = 0; at < ids.size(); at += kAtOnce) {
    const auto first = ids.begin() + static_cast<std::ptrdiff_t>(at);
    const std::vector<RecordingId> some(first, first + static_cast<std::ptrdiff_t>(std::min(kAtOnce, ids.size() - at)));
    if (vault.impl().remote) {
      CALLVAULT_TRY_ASSIGN(auto told, account_call<std::vector<Tombstone>>(vault.impl(), "tombstones", some));
      out.insert(out.end(), told.begin(), told.end());
      continue;
    }
    for (const auto& id : some) {
      CALLVAULT_TRY_ASSIGN(auto one, vault.tombstone(id));
      out.push_back(std::move(one));
    }
  }
  return out;
}

}  // namespace callvault
