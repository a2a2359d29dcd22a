// Dual control: asking, approving, and using an approval once.
#include "dual_control.h"

#include <algorithm>
#include <array>
#include <set>

#include "context/commit.h"
#include "over_socket.h"
#include "rights/approvals.h"
#include "rights/people.h"

namespace callvault {
namespace {

constexpr std::chrono::hours kDay{24};
// How far apart entries of the journal may stand that were written in another order than their times.
constexpr std::chrono::hours kDisorder{1};

std::map<std::string, std::string> facts_of(const Approval& approval) {
  return {{"approval", approval.id}, {"action", std::string(to_word(approval.action))}};
}

bool is_officer_still(const context::Context& context, const std::string& name) {
  const auto& people = context.state.directory().people;
  const auto it = people.find(name);
  return it != people.end() && !it->second.disabled &&
         (it->second.roles & static_cast<std::uint8_t>(Role::officer)) != 0;
}

Result<void> refuse_approval(context::Context& context, const Approval& approval, std::string_view result,
                             std::string message) {
  auto facts = facts_of(approval);
  facts.emplace("result", std::string(result));
  CALLVAULT_TRY(context.log.append("approval_refused", std::move(facts)));
  return fail(Errc::refused, std::move(message));
}

// What leaves the vault to stay elsewhere.
constexpr std::array<std::string_view, 3> kLeaving{"exported", "copied", "disclosed"};

// The recordings of which the actor made copies since `from`, by the journal.
Result<std::set<std::string>> exported_since(const context::Context& context, Time from) {
  std::set<std::string> ids;
  CALLVAULT_TRY(context.log.journal().for_each_back([&](std::uint64_t, const journal::Entry& entry) -> Result<bool> {
    if (entry.at <= from) return entry.at > from - kDisorder;
    const bool leaves = std::find(kLeaving.begin(), kLeaving.end(), entry.event) != kLeaving.end();
    if (!leaves || !entry.facts.contains("id")) return true;
    const auto actor = context::open_actor(entry, context.state.directory());
    if (actor && *actor == context.log.actor()) ids.insert(entry.facts.at("id"));
    return true;
  }));
  return ids;
}

}  // namespace

Result<void> require_second(Session& session, DualAction action, const std::vector<std::string>& parameters,
                            std::string what) {
  auto& context = session.context();
  if (!context.config.people.dual_control.contains(action)) return {};
  CALLVAULT_TRY_ASSIGN(auto approvals, rights::Approvals::load(context));
  const auto digest = approvals.digest_of(action, context.log.actor(), parameters);
  rights::ApprovalRecord* record = approvals.standing(digest, context.now);
  if (record != nullptr && record->approval.state == ApprovalState::rejected)
    return refuse_approval(
        context, record->approval, "rejected",
        record->approval.id + ", which asked for this, was rejected by " + record->approval.decided_by);
  const bool approved = record != nullptr && record->approval.state == ApprovalState::approved;
  if (approved && is_officer_still(context, record->approval.decided_by)) {
    rights::settle_approval(*record, ApprovalState::used);
    CALLVAULT_TRY(approvals.stage(context));
    return context::commit_journalled(context, "approval_used", facts_of(record->approval));
  }
  if (record == nullptr || approved) {
    if (approved) rights::settle_approval(*record, ApprovalState::rejected);  // by somebody who may no longer
    CALLVAULT_TRY_ASSIGN(record, approvals.ask(context, action, digest, std::move(what)));
    CALLVAULT_TRY(approvals.stage(context));
    CALLVAULT_TRY(context::commit_journalled(context, "approval_asked", facts_of(record->approval)));
  } else {
    auto facts = facts_of(record->approval);
    facts.emplace("result", "waits");
    CALLVAULT_TRY(context.log.append("approval_refused", std::move(facts)));
  }
  return fail(Errc::refused, std::string(to_word(action)) + " needs a second person: " + record->approval.id +
                                 " waits for another officer until " +
                                 context.zone.rfc3339(record->approval.stands_until));
}

Result<void> require_second_for_copies(Session& session, const std::vector<RecordingId>& ids,
                                       std::vector<std::string> parameters, const std::string& what) {
  auto& context = session.context();
  const auto& policy = context.config.people;
  if (!policy.dual_control.contains(DualAction::bulk_export)) return {};
  CALLVAULT_TRY_ASSIGN(auto known, exported_since(context, context.now - kDay));
  const std::size_t before = known.size();
  for (const auto& id : ids) {
    known.insert(id.text());
    parameters.push_back(id.text());
  }
  if (known.size() == before || known.size() <= policy.bulk_export) return {};
  return require_second(session, DualAction::bulk_export, parameters,
                        what + ", after " + std::to_string(before) + " recordings in 24 hours");
}

Result<void> require_second_for_export(Session& session, const PlayOptions& options) {
  const auto position = [](const auto& at) { return at ? std::to_string(at->count()) : std::string(); };
  const std::string purpose(to_word(options.purpose));
  return require_second_for_copies(
      session, {options.id},
      {"play", purpose, std::to_string(static_cast<int>(options.track)),
       std::to_string(static_cast<int>(options.format)), position(options.from), position(options.to), options.reason},
      "a copy of " + options.id.text() + " for " + purpose +
          (options.reason.empty() ? "" : " (" + options.reason + ")"));
}

Result<Approval> approve(Vault& vault, const Person& officer, std::string_view id, bool approved) {
  if (vault.impl().remote) return signed_call<Approval>(vault.impl(), "approve", officer, id, approved);
  CALLVAULT_TRY_ASSIGN(const auto session, Session::begin(vault.impl(), Access::change, officer.name()));
  CALLVAULT_TRY(session->require(officer, {Role::officer}, "approve"));
  auto& context = session->context();
  CALLVAULT_TRY_ASSIGN(auto approvals, rights::Approvals::load(context));
  CALLVAULT_TRY_ASSIGN(rights::ApprovalRecord * record, approvals.find(id));
  Approval& approval = record->approval;
  const auto refuse = [&](std::string_view result, const std::string& message) -> Result<void> {
    return refuse_approval(context, approval, result, approval.id + " " + message);
  };
  if (approval.asked_by == officer.name())
    CALLVAULT_TRY(refuse("same_person", "was asked for by " + officer.name() + ": another officer decides it"));
  if (context.now >= approval.stands_until) CALLVAULT_TRY(refuse("over", "is over"));
  if (approval.state != ApprovalState::asked)
    CALLVAULT_TRY(refuse("decided", "is " + std::string(to_word(approval.state)) + " already"));
  approval.decided_by = officer.name();
  approval.state = ApprovalState::approved;
  Approval told = approval;
  if (!approved) {
    rights::settle_approval(*record, ApprovalState::rejected);
    told.state = ApprovalState::rejected;
  }
  CALLVAULT_TRY(approvals.stage(context));
  CALLVAULT_TRY(context::commit_journalled(context, approved ? "approval_given" : "approval_rejected", facts_of(told)));
  return told;
}

Result<std::vector<Approval>> approvals_list(Vault& vault, const Person& person) {
  if (vault.impl().remote) return signed_call<std::vector<Approval>>(vault.impl(), "approvals_list", person);
  CALLVAULT_TRY_ASSIGN(const auto session, Session::begin(vault.impl(), Access::look_up, person.name()));
  CALLVAULT_TRY(session->admit(person, "approvals_list"));
  CALLVAULT_TRY_ASSIGN(const auto approvals, rights::Approvals::load(session->context()));
  CALLVAULT_TRY(session->context().log.append("approvals_listed"));
  constexpr unsigned kSeeAll = static_cast<unsigned>(Role::officer) | static_cast<unsigned>(Role::auditor);
  const bool all = (session->directory().people.at(person.name()).roles & kSeeAll) != 0;
  auto out = approvals.list(session->context().now);
  if (!all) std::erase_if(out, [&](const Approval& a) { return a.asked_by != person.name(); });
  return out;
}

}  // namespace callvault
