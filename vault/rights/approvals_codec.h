// The text form of the register of approvals: JSON, docs/format/keys.md.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "callvault/approvals.h"
#include "crypto/hash.h"

namespace callvault::rights {

struct ApprovalRecord {
  Approval approval;
  crypto::Digest digest{};  // of who asked for what, exactly; keyed
};

struct ApprovalsContent {
  std::vector<ApprovalRecord> records{};
  int year = 0;                   // of the last number given out
  std::uint64_t last_number = 0;  // in that year
};

std::string encode_approvals(const ApprovalsContent& content);
// Errors: corrupt, newer_version.
Result<ApprovalsContent> decode_approvals(std::string_view text);

}  // namespace callvault::rights
