// The register of approvals: what one person asked to do and another has to approve.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "context/context.h"
#include "rights/approvals_codec.h"

namespace callvault::rights {

inline constexpr std::string_view kApprovalsRegister = "approvals";

class Approvals {
 public:
  // Errors: corrupt, newer_version.
  static Result<Approvals> load(context::Context& context);

  // What is asked, exactly: who, which action, and each parameter in its order. Keyed with the register's own key, so
  // that nobody tries telephone numbers against it.
  crypto::Digest digest_of(DualAction action, std::string_view who, std::span<const std::string> parameters) const;

  // The newest of that digest whose time is not over and which is not used.
  ApprovalRecord* standing(const crypto::Digest& digest, Time now);
  // Errors: refused when too many wait.
  Result<ApprovalRecord*> ask(const context::Context& context, DualAction action, const crypto::Digest& digest,
                              std::string what);
  // Errors: not_found.
  Result<ApprovalRecord*> find(std::string_view id);
  // With the state that each has at `now`.
  std::vector<Approval> list(Time now) const;
  // Drops what is over; tells how many.
  Result<std::size_t> prune(const context::Context& context);

  // Into the edited directory: durable with its commit.
  Result<void> stage(context::Context& context) const;

 private:
  explicit Approvals(crypto::Key key) : key_(std::move(key)) {}

  crypto::Key key_;
  ApprovalsContent content_;
};

// What is asked is forgotten as soon as it is decided for good: it may name people.
void settle_approval(ApprovalRecord& record, ApprovalState state);

}  // namespace callvault::rights
