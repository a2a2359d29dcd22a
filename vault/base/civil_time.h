// Civil time: days, calendar periods and text forms, in a named zone or in UTC. Over Howard Hinnant's date library;
// nothing else in callvault computes a month, a day or an offset.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "callvault/clock.h"
#include "callvault/result.h"
#include "callvault/retention.h"

namespace callvault::base {

// A time zone of the host's tz database. Cheap to copy; safe to share between threads.
class Zone {
 public:
  // "Europe/Bucharest". Reads that zone's file only. Errors: usage when the host knows no such zone.
  static Result<Zone> find(std::string_view iana_name);

  // Days since 1970-01-01 of the local civil date. Instants outside the years 1..9998 count as the nearest inside.
  std::int32_t civil_day(Time time) const;

  // `start` plus a calendar period (S17): months first, clamped to the month's end (31 Aug + 6 months = 28 or 29 Feb),
  // then days; the local time of day stays, to the millisecond.
  // - A local time that does not exist (spring night) becomes the first instant after the gap.
  // - One that happens twice (autumn night) is taken with the UTC offset that `start` had; when neither has it, the
  //   earlier. The same offset means exactly the days that the calendar shows, not an hour more or less; where that
  //   cannot be had, data goes earlier rather than outlive the promise.
  // Errors: usage when `start` lies outside 1970..2200, or the period is negative or longer than 100 years.
  Result<Time> add(Time start, const Period& period) const;

  // "2026-11-23T12:11:12.345+02:00": local time with the zone's offset; milliseconds only if not zero.
  std::string rfc3339(Time time) const;

  // RFC 3339 with an offset or Z; or in this zone "2026-11-23" (its first instant), "2026-11-23 14:05",
  // "2026-11-23 14:05:09" (T instead of the space is fine, and up to three decimals after the seconds).
  // A local time that happens twice is the earlier one. Years 1970..2200.
  // Errors: usage: another form, a date or local time that does not exist.
  Result<Time> parse(std::string_view text) const;

  const std::string& name() const;

 private:
  struct Impl;
  explicit Zone(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}
  std::shared_ptr<const Impl> impl_;
};

// "2026-11-23" from days since 1970-01-01, and back: exactly that form, a date that exists, years 0000..9999.
// Days outside give the nearest inside.
std::string day_text(std::int32_t day);
Result<std::int32_t> parse_day(std::string_view text);

// "2026-11-23T10:11:12.345Z": always milliseconds, always UTC; exact round trip for the years 0000..9999, and
// instants outside give the nearest inside. Errors: usage for any other form.
std::string utc_text(Time time);
Result<Time> parse_utc(std::string_view text);

}  // namespace callvault::base
