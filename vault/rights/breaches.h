// The register of breaches: its records, their clock, and what may be done with them (GDPR Art. 33(5)). Pure but for
// loading and staging.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "callvault/breach.h"
#include "context/context.h"

namespace callvault::rights {

bool is_overdue(const Breach& breach, Time now);

class Breaches {
 public:
  // Errors: corrupt, newer_version.
  static Result<Breaches> load(const context::Context& context);

  // Gives the next number of the year and the deadline. Errors: usage; refused when it lies in the future.
  Result<Breach*> open(const context::Context& context, const BreachOptions& options);
  // Errors: not_found.
  Result<Breach*> find(std::string_view id);
  const std::vector<Breach>& all() const { return breaches_; }
  // Drops what was closed longer ago than the vault keeps it; tells how many.
  Result<std::size_t> prune(const context::Context& context);

  // Into the edited directory: durable with its commit.
  Result<void> stage(context::Context& context) const;

 private:
  std::vector<Breach> breaches_;   // ascending by id
  std::uint64_t last_number_ = 0;  // of `year_`: numbers are not given out twice
  int year_ = 0;
};

// Errors: usage (no reason); refused: closed, in the future, late without a reason, not told yet.
Result<void> assess(Breach& breach, BreachRisk risk, const std::string& reason);
Result<void> notify(Breach& breach, const BreachNotice& notice, Time now);
Result<void> note(const Breach& breach, const std::string& text);
Result<void> close(Breach& breach, const std::string& note, Time now);

}  // namespace callvault::rights
