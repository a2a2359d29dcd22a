// The register of people's requests: its records, their deadlines, and what may be done with them. Pure but for loading
// and staging. GDPR Art. 12(3) and (4).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "callvault/rights.h"
#include "context/context.h"

namespace callvault::rights {

// The earlier of 30 days and one calendar month (S38).
Result<Time> first_deadline(const base::Zone& zone, Time received);
// The earlier of 60 days and two calendar months after the first one (S39).
Result<Time> extended_deadline(const base::Zone& zone, Time first);

bool is_overdue(const Request& request, Time now);

class Requests {
 public:
  // Errors: corrupt, newer_version.
  static Result<Requests> load(const context::Context& context);

  // Checks the options, gives the next number of the year and the deadline. Errors: usage; refused when it would have
  // been received in the future.
  Result<Request*> open(const context::Context& context, const RequestOptions& options);
  // Errors: not_found.
  Result<Request*> find(std::string_view id);
  const std::vector<Request>& all() const { return requests_; }
  // Drops what was closed longer ago than the vault keeps it; tells how many.
  Result<std::size_t> prune(const context::Context& context);

  // Into the edited directory: durable with its commit.
  Result<void> stage(context::Context& context) const;

 private:
  std::vector<Request> requests_;  // ascending by id
  std::uint64_t last_number_ = 0;  // of `year_`: numbers are not given out twice
  int year_ = 0;
};

}  // namespace callvault::rights
