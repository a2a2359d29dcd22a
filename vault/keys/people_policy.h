// What vault.toml says of people: the purposes of each role, the evaluation window, duties, dual control.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "callvault/approvals.h"
#include "callvault/options.h"

namespace callvault::keys {

struct PeoplePolicy {
  // Of the roles that open recordings; a role that is not here opens none.
  std::map<Role, std::set<Purpose>> purposes{
      {Role::reviewer,
       {Purpose::service_quality, Purpose::customer_needs, Purpose::evaluation, Purpose::complaint,
        Purpose::legal_claims, Purpose::proof_of_interaction}},
      {Role::evaluator, {Purpose::service_quality, Purpose::customer_needs, Purpose::evaluation}},
  };
  std::optional<Period> evaluation_window{};  // from a call's start; none: as long as it is kept
  bool require_duties = false;                // even before a text is set
  std::set<DualAction> dual_control{};
  std::chrono::hours approval_stands{24};
  std::uint64_t bulk_export = 10;  // copies of one person in 24 hours that need nobody else
  std::string review_date{};       // "2027-05-01": when the measures are to be reviewed; empty: not set

  // `roles`: bits of Role.
  std::set<Purpose> purposes_of(std::uint8_t roles) const;
};

}  // namespace callvault::keys
