// Dual control: what vault.toml lists in policy.dual_control is done by one person and approved by another. S25.
//
// The first attempt registers what is asked and answers Errc::refused, naming the approval. Once another officer has
// approved it, the same person does the same again, once, before its time is over.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "callvault/options.h"
#include "callvault/result.h"

namespace callvault {

class Person;
class Vault;

// bulk_export: copies of more recordings in 24 hours than policy.bulk_export. officer: adding one.
enum class DualAction : std::uint8_t { unhold, erase, bulk_export, officer };
std::string_view to_word(DualAction);
Result<DualAction> parse_dual_action(std::string_view word);

enum class ApprovalState : std::uint8_t { asked, approved, rejected, used, expired };
std::string_view to_word(ApprovalState);
Result<ApprovalState> parse_approval_state(std::string_view word);

struct Approval {
  std::string id;  // "A-2026-0001"
  DualAction action = DualAction::erase;
  ApprovalState state = ApprovalState::asked;
  std::string what;  // what is asked, in words; empty once it is used, rejected or over
  std::string asked_by, decided_by;
  Time asked_at{}, stands_until{};
};

// By an officer who did not ask. Errors: not_found; refused: asked by the same person, decided already, over.
Result<Approval> approve(Vault& vault, const Person& officer, std::string_view id, bool approved);
// Officers and auditors see all of them, others their own. Newest last.
Result<std::vector<Approval>> approvals_list(Vault& vault, const Person& person);

}  // namespace callvault
