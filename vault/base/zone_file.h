// The rules of one time zone: its TZif file (RFC 8536), and after the file's last transition the yearly rule at its
// end.
//
// Why not date::locate_zone: its first use lists and stats the whole zoneinfo folder (some 650 calls, 2-3 ms and more
// when cold), of which a recorder has no use; and it does not read the yearly rule, so that summer time ends in 2037.
// (Its date/ptz.h, which would, does not compile as C++20 in the packaged version, and knows no negative hours.)
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "callvault/result.h"

namespace callvault::base {

using Seconds = std::chrono::sys_seconds;

// A stretch of time, begin <= t < end, with one UTC offset.
struct OffsetSpan {
  Seconds begin, end;
  std::chrono::seconds offset;
};

// "EET-2EEST,M3.5.0/3,M10.5.0/4": what repeats every year (POSIX TZ, with the extensions of RFC 8536).
class YearlyRule {
 public:
  // Only month-week-weekday changes, the one kind in the tz database. Errors: corrupt.
  static Result<YearlyRule> parse(std::string_view text);
  // REQUIRES: a time within the years 0..9999.
  OffsetSpan span_at(Seconds time) const;

 private:
  // The week-th weekday of a month (week 5: the last), and the time since that day's local midnight.
  struct Change {
    unsigned month = 0, week = 0, weekday = 0;
    std::chrono::seconds at = std::chrono::hours(2);
  };
  friend class RuleReader;
  static std::chrono::seconds local_in_year(const Change& change, int year);

  std::chrono::seconds standard_{}, summer_{};
  bool changes_ = false;  // no: `standard_` all year
  Change to_summer_, to_standard_;
};

class ZoneRules {
 public:
  // Reads the zone's file below the host's zoneinfo folder. Errors: usage when there is none of this name.
  static Result<ZoneRules> load(std::string_view iana_name);
  // Errors: corrupt, when `file` is not a TZif file of version 2 or later without leap seconds.
  static Result<ZoneRules> parse(ByteView file);

  // REQUIRES: a time within the years 0..9999.
  OffsetSpan span_at(Seconds time) const;

 private:
  ZoneRules() = default;

  std::vector<std::int64_t> transitions_;      // ascending, seconds since 1970
  std::vector<std::chrono::seconds> offsets_;  // [0] before the first transition, [i + 1] from transition i on
  std::optional<YearlyRule> after_;            // none: the last offset stays
};

}  // namespace callvault::base
