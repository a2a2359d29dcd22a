// Retention: how long, and what the plan says of each recording. S17, GDPR Art. 5(1)(e).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "callvault/call_record.h"

namespace callvault {

// A period in calendar units: "6mo", "30d", "1y". Months are calendar months in the vault's zone.
struct Period {
  std::int32_t months = 0;
  std::int32_t days = 0;
  // N followed by mo, d or y; 1 day .. 100 years; Errc::usage else.
  static Result<Period> parse(std::string_view text);
  std::string text() const;
  bool operator==(const Period&) const = default;
};

struct RetentionClass {
  std::string name;  // a-z, 0-9, '-', at most 32 characters
  Period period;
};

enum class Decision : std::uint8_t { keep, expire, refuse };

struct PlannedItem {
  RecordingId id;
  Decision decision = Decision::keep;
  std::string reason;  // a code: not_due, period_over, held, restricted, consent_refused, pending_too_long ...
  Time due{};          // when it may go, or went, over
};

}  // namespace callvault
