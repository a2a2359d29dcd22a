#include "subject.h"

#include <algorithm>

#include "base/phone.h"
#include "context/aliases.h"
#include "context/opt_out.h"
#include "context/rows.h"

namespace callvault {
namespace {

constexpr std::string_view kErased = "erased";

bool is_asked_erasure(const keys::Directory& directory, const shred::Victim& victim) {
  return victim.reason == kErased && !victim.track &&
         std::any_of(directory.outstanding.begin(), directory.outstanding.end(),
                     [&](const keys::Outstanding& o) { return o.id == victim.id && !o.track; });
}

// "R-2026-0001"
bool is_register_id(std::string_view text) {
  const auto digits = [](std::string_view part) {
    return !part.empty() && part.find_first_not_of("0123456789") == std::string_view::npos;
  };
  return text.size() >= 11 && text.starts_with("R-") && text[6] == '-' && digits(text.substr(2, 4)) &&
         digits(text.substr(7));
}

}  // namespace

Result<void> check_reference(std::string_view text) {
  constexpr std::string_view kAllowed = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_./:#";
  if (!text.empty() && text.size() <= 64 && text.find_first_not_of(kAllowed) == std::string_view::npos) return {};
  return fail(Errc::usage,
              "a request's reference is 1 to 64 letters, digits or - _ . / : # (names belong to the reason)");
}

Result<std::string> number_of(const context::Context& context, std::string_view text) {
  CALLVAULT_TRY_ASSIGN(auto number, base::normalise_number(text, context.config.country_code));
  if (number.empty()) return fail(Errc::usage, "a telephone number is needed");
  return number;
}

Result<std::vector<std::string>> numbers_of_person(const context::Context& context,
                                                   const std::vector<std::string>& numbers) {
  if (!context.state.directory().registers.contains(std::string(context::kAliasRegister))) return numbers;
  CALLVAULT_TRY_ASSIGN(const auto aliases, context::Aliases::load(context));
  return aliases.of(numbers);
}

Result<std::vector<catalog::Hit>> recordings_of(const context::Context& context,
                                                const std::vector<std::string>& numbers) {
  std::vector<catalog::BucketKey> keys;
  for (const auto& [number, bucket] : context.state.directory().buckets)
    keys.push_back({number, bucket.generation, &bucket.index_key});
  std::set<catalog::Hit> out;
  for (const auto& number : numbers) {
    for (const auto field : {catalog::Field::caller, catalog::Field::called}) {
      CALLVAULT_TRY_ASSIGN(const auto hits, context.catalog.lookup_all(keys, field, number));
      if (!hits.stale.empty()) return fail(Errc::corrupt, "the catalogue is behind the key state; run reindex");
      out.insert(hits.found.begin(), hits.found.end());
    }
  }
  return std::vector<catalog::Hit>(out.begin(), out.end());
}

Error refuse(context::Context& context, std::string_view verb, std::map<std::string, std::string> facts,
             const Error& why) {
  facts.emplace("verb", verb);
  facts.emplace("result", errc_name(why.code));
  const auto said = context.log.append("refused", std::move(facts));
  return said ? why : said.error();
}

Result<Located> attempted(context::Context& context, std::string_view verb, const RecordingId& id,
                          Result<Located> found) {
  if (found || (found.error().code != Errc::not_found && found.error().code != Errc::gone)) return found;
  return refuse(context, verb, {{"id", id.text()}}, found.error());
}

Result<Errand> Errand::of(context::Context& context, std::string_view verb, std::string_view reference,
                          std::initializer_list<RequestKind> kinds, bool closed_too) {
  Errand out;
  CALLVAULT_TRY_ASSIGN(out.requests_, rights::Requests::load(context));
  const auto found = out.requests_->find(reference);
  if (!found && !is_register_id(reference)) return out;
  if (!found) return refuse(context, verb, {}, found.error());
  const Request& r = **found;
  const auto no = [&](const std::string& why) {
    return refuse(context, verb, {{"request", r.id}}, fail(Errc::refused, "request " + r.id + why));
  };
  if (std::find(kinds.begin(), kinds.end(), r.kind) == kinds.end())
    return no(" is one to " + std::string(to_word(r.kind)) + ": " + std::string(verb) + " does not answer it");
  if (r.state == RequestState::closed && !closed_too) return no(" is closed");
  if (r.decision == RequestDecision::refused && !closed_too) return no(" was refused");
  out.id_ = r.id;
  return out;
}

Result<const Request*> Errand::request() const {
  CALLVAULT_TRY_ASSIGN(const Request* found, requests_->find(id_));
  return found;
}

Result<void> Errand::note(context::Context& context, std::string_view what, std::string text) {
  if (!known()) return {};
  CALLVAULT_TRY_ASSIGN(Request * found, requests_->find(id_));
  found->history.push_back({context.now, context.log.actor(), std::string(what), std::move(text)});
  return requests_->stage(context);
}

bool is_protected(const keys::NodeRow& row, Time now) { return is_held(row, now) || row.restricted; }

Result<DeferredByRequest> deferred_by_request(context::Context& context) {
  DeferredByRequest out;
  for (const auto& o : context.state.directory().outstanding) {
    if (o.track) continue;
    CALLVAULT_TRY_ASSIGN(const auto stored, context.catalog.get(o.id));
    if (!stored) continue;
    CALLVAULT_TRY_ASSIGN(auto node, context.state.read_node(stored->bucket));
    CALLVAULT_TRY_ASSIGN(const auto row, node.find(o.id));
    if (row && row->deferred && is_protected(*row, context.now)) out[row->deferred->request].push_back(o.id);
  }
  return out;
}

Result<bool> drop_needless_aliases(context::Context& context, const std::vector<std::string>& numbers,
                                   const std::set<RecordingId>& victims) {
  if (!context.state.directory().registers.contains(std::string(context::kAliasRegister))) return false;
  CALLVAULT_TRY_ASSIGN(auto aliases, context::Aliases::load(context));
  bool dropped = false;
  for (const auto& number : numbers) {
    CALLVAULT_TRY_ASSIGN(const auto person, aliases.find(number));
    if (!person) continue;
    CALLVAULT_TRY_ASSIGN(const auto hits, recordings_of(context, person->numbers));
    if (!std::all_of(hits.begin(), hits.end(), [&](const auto& hit) { return victims.contains(hit.id); })) continue;
    CALLVAULT_TRY_ASSIGN(auto opt_outs, context::OptOuts::load(context));
    if (opt_outs.spread(person->numbers)) CALLVAULT_TRY(opt_outs.stage(context));
    dropped = aliases.drop(number) || dropped;
  }
  if (dropped) CALLVAULT_TRY(aliases.stage(context));
  return dropped;
}

std::vector<std::string> wind_up(context::Context& context, const std::vector<shred::Victim>& victims) {
  std::vector<std::string> problems;
  std::map<std::string, std::uint64_t> done;
  std::set<std::string> numbers;
  std::set<RecordingId> ids;
  for (const auto& victim : victims) {
    ids.insert(victim.id);
    if (!is_asked_erasure(context.state.directory(), victim)) continue;
    auto node = context.state.read_node(victim.bucket);
    auto row = node ? node->find(victim.id) : Result<std::optional<keys::NodeRow>>(node.error());
    if (!row || !*row || !(*row)->deferred) continue;
    ++done[(*row)->deferred->request];
    const auto details = context::row_of(context, context.state.directory().buckets.at(victim.bucket), **row);
    if (details) numbers.insert({details->caller, details->called});
  }
  for (const auto& [reference, count] : done) {
    auto requests = rights::Requests::load(context);
    const auto found = requests ? requests->find(reference) : Result<Request*>(requests.error());
    if (!found && found.error().code == Errc::not_found) continue;
    if (found)
      (*found)->history.push_back(
          {context.now, context.log.actor(), "erased", std::to_string(count) + " that had been deferred"});
    const auto staged = found ? requests->stage(context) : Result<void>(found.error());
    if (!staged) problems.push_back(staged.error().message);
  }
  if (numbers.empty()) return problems;
  const auto dropped = drop_needless_aliases(context, {numbers.begin(), numbers.end()}, ids);
  if (!dropped) problems.push_back(dropped.error().message);
  return problems;
}

Result<bool> carry_out_deferred(context::Context& context, const std::vector<RecordingId>& ids) {
  std::vector<shred::Victim> victims;
  for (const auto& id : ids) {
    if (!is_asked_erasure(context.state.directory(), {id, 0, std::string(kErased), std::nullopt})) continue;
    const auto found = locate_stored(context, id);
    if (!found) return found.error();
    if (is_protected(found->row, context.now)) continue;
    victims.push_back({id, found->bucket, std::string(kErased), std::nullopt});
  }
  if (victims.empty()) return false;
  (void)wind_up(context, victims);  // 'check' names a damaged register; the erasure goes on
  CALLVAULT_TRY_ASSIGN(const auto shredded, shred::run(context, std::move(victims), shred_options(context)));
  if (!shredded.mirrors_behind.empty())
    return fail(Errc::partly_done,
                "the deferred erasure is carried out: its recordings are " + wait_for_mirrors(shredded.mirrors_behind));
  if (!shredded.outstanding.empty())
    return fail(Errc::partly_done, "the deferred erasure is outstanding: its recorder has to end first; purge retries");
  return true;
}

}  // namespace callvault
