// What a request for access is answered with (GDPR Art. 15).
#include <algorithm>
#include <array>
#include <tuple>

#include "callvault/subjects.h"
#include "context/commit.h"
#include "context/rows.h"
#include "over_socket.h"
#include "subject.h"

namespace callvault {
namespace {

constexpr std::initializer_list<RequestKind> kAnswered{RequestKind::access, RequestKind::inform};
constexpr std::array<std::string_view, 4> kUses{"opened", "exported", "copied", "disclosed"};

Result<std::vector<std::string>> numbers_asked(context::Context& context, std::string_view reference) {
  CALLVAULT_TRY_ASSIGN(const auto errand, Errand::of(context, "answer", reference, kAnswered));
  if (!errand.known()) return fail(Errc::not_found, "no request " + std::string(reference.substr(0, 32)));
  CALLVAULT_TRY_ASSIGN(const Request* request, errand.request());
  if (request->numbers.empty())
    return refuse(context, "answer", {{"request", request->id}},
                  fail(Errc::refused, "request " + request->id + " names no number"));
  return numbers_of_person(context, request->numbers);
}

// Names of staff are personal data too: the person learns in which capacity somebody listened.
std::vector<Role> roles_of_actor(const context::Context& context, const journal::Entry& entry) {
  std::vector<Role> out;
  const auto actor = context::open_actor(entry, context.state.directory());
  if (!actor) return out;
  const auto it = context.state.directory().people.find(*actor);
  if (it == context.state.directory().people.end()) return out;
  for (const Role role : {Role::officer, Role::reviewer, Role::evaluator, Role::auditor, Role::operator_})
    if ((it->second.roles & static_cast<std::uint8_t>(role)) != 0) out.push_back(role);
  return out;
}

void count_use(std::vector<Use>& uses, Use one) {
  const auto same = std::find_if(uses.begin(), uses.end(), [&](const Use& u) {
    return std::tie(u.event, u.purpose, u.roles) == std::tie(one.event, one.purpose, one.roles);
  });
  if (same == uses.end()) return uses.push_back(std::move(one));
  ++same->times;
  same->last = one.last;
}

Result<void> find_uses(context::Context& context, std::vector<AnsweredRecording>& recordings) {
  std::map<std::string, AnsweredRecording*> by_id;
  for (auto& r : recordings) by_id.emplace(r.record.id.text(), &r);
  return context.log.journal().for_each(0, [&](std::uint64_t, const journal::Entry& entry) -> Result<bool> {
    if (std::find(kUses.begin(), kUses.end(), entry.event) == kUses.end()) return true;
    const auto id = entry.facts.find("id");
    const auto it = id == entry.facts.end() ? by_id.end() : by_id.find(id->second);
    if (it == by_id.end()) return true;
    const auto purpose = entry.facts.find("purpose");
    count_use(it->second->uses, {entry.event, purpose == entry.facts.end() ? std::string() : purpose->second,
                                 roles_of_actor(context, entry), 1, entry.at, entry.at});
    return true;
  });
}

Result<Answer> collect(Vault::Impl& vault, const Person& person, std::string_view reference) {
  Answer out;
  CALLVAULT_TRY_ASSIGN(out.unreadable, settle_if_free(vault));
  CALLVAULT_TRY_ASSIGN(const auto session, Session::begin(vault, Access::look, person.name()));
  CALLVAULT_TRY(session->require(person, {Role::officer}, "answer"));
  auto& context = session->context();
  out.at = context.now;
  out.organisation = context.config.organisation;
  CALLVAULT_TRY_ASSIGN(out.numbers, numbers_asked(context, reference));
  CALLVAULT_TRY_ASSIGN(const auto hits, recordings_of(context, out.numbers));
  for (const auto& hit : hits) {
    const keys::Bucket& bucket = context.state.directory().buckets.at(hit.bucket);
    CALLVAULT_TRY_ASSIGN(auto node, context.state.read_node(hit.bucket));
    CALLVAULT_TRY_ASSIGN(const auto row, node.find(hit.id));
    // What has expired is open to nobody, and destroyed the next night.
    if (!row || state_of(*row, context.now) == State::expired) continue;
    CALLVAULT_TRY_ASSIGN(const auto details, context::row_of(context, bucket, *row));
    out.recordings.push_back({to_record(bucket, *row, details, context.now), {}});
  }
  std::sort(out.recordings.begin(), out.recordings.end(), [](const auto& a, const auto& b) {
    return std::tie(a.record.started_at, a.record.id) < std::tie(b.record.started_at, b.record.id);
  });
  CALLVAULT_TRY(find_uses(context, out.recordings));
  return out;
}

}  // namespace

Result<Answer> request_answer(Vault& vault, const Person& person, std::string_view reference) {
  if (vault.impl().remote) return signed_call<Answer>(vault.impl(), "request_document", person, reference);
  CALLVAULT_TRY_ASSIGN(auto out, collect(vault.impl(), person, reference));
  out.contacts = vault.contacts();
  // Before anything of it is given away.
  CALLVAULT_TRY_ASSIGN(const auto session, Session::begin(vault.impl(), Access::change, person.name()));
  auto& context = session->context();
  CALLVAULT_TRY_ASSIGN(auto errand, Errand::of(context, "answer", reference, kAnswered));
  CALLVAULT_TRY(errand.note(context, "answered", std::to_string(out.recordings.size()) + " recordings"));
  CALLVAULT_TRY(context::commit_journalled(
      context, "request_answered",
      {{"request", std::string(reference)}, {"recordings", std::to_string(out.recordings.size())}}));
  CALLVAULT_TRY_ASSIGN(const Request* request, errand.request());
  out.request = *request;
  return out;
}

}  // namespace callvault
