#include "base/civil_time.h"

#include <date/date.h>
#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "base/zone_file.h"

namespace callvault::base {
namespace {

using std::chrono::floor;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using LocalTime = date::local_time<milliseconds>;

constexpr int kFirstYear = 1970;
constexpr int kLastYear = 2200;
constexpr std::int32_t kMaxPeriodMonths = 1200;
constexpr std::int32_t kMaxPeriodDays = 36525;
constexpr std::size_t kMaxTimeText = 64;

constexpr Time start_of(int year) { return date::sys_days(date::year(year) / 1 / 1); }

Time clamp_years(Time time, int first, int last) {
  return std::clamp(time, start_of(first), start_of(last + 1) - milliseconds(1));
}

// What a strict reading of digits and marks at fixed places needs.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  bool at_end() const { return text_.empty(); }
  bool mark(std::string_view any_of) {
    if (text_.empty() || any_of.find(text_.front()) == std::string_view::npos) return false;
    text_.remove_prefix(1);
    return true;
  }
  // Exactly `count` digits.
  std::optional<int> digits(std::size_t count) {
    if (text_.size() < count) return std::nullopt;
    int value = 0;
    for (const char c : text_.substr(0, count)) {
      if (c < '0' || c > '9') return std::nullopt;
      value = value * 10 + (c - '0');
    }
    text_.remove_prefix(count);
    return value;
  }
  std::size_t digits_ahead() const { return std::min(text_.find_first_not_of("0123456789"), text_.size()); }
  // "2026-11-23", a date that exists.
  std::optional<date::year_month_day> date() {
    const auto y = digits(4);
    if (!y || !mark("-")) return std::nullopt;
    const auto m = digits(2);
    if (!m || !mark("-")) return std::nullopt;
    const auto d = digits(2);
    if (!d) return std::nullopt;
    const auto ymd = date::year(*y) / date::month(static_cast<unsigned>(*m)) / date::day(static_cast<unsigned>(*d));
    return ymd.ok() ? std::optional(ymd) : std::nullopt;
  }
  // "14:05", up to 23:59.
  std::optional<minutes> hour_minute() {
    const auto h = digits(2);
    if (!h || !mark(":")) return std::nullopt;
    const auto m = digits(2);
    return m && *h < 24 && *m < 60 ? std::optional(hours(*h) + minutes(*m)) : std::nullopt;
  }
  // "14:05", "14:05:09", "14:05:09.5" to three decimals.
  std::optional<milliseconds> time_of_day() {
    const auto time = hour_minute();
    if (!time || !mark(":")) return time;
    const auto s = digits(2);
    if (!s || *s > 59) return std::nullopt;
    milliseconds out = *time + seconds(*s);
    if (!mark(".")) return out;
    const std::size_t decimals = digits_ahead();
    if (decimals == 0 || decimals > 3) return std::nullopt;
    int fraction = *digits(decimals);
    for (std::size_t i = decimals; i < 3; ++i) fraction *= 10;
    return out + milliseconds(fraction);
  }
  // "Z", "+02:00".
  std::optional<minutes> offset() {
    if (mark("Zz")) return minutes(0);
    const bool negative = !text_.empty() && text_.front() == '-';
    if (!mark("+-")) return std::nullopt;
    const auto value = hour_minute();
    if (!value) return std::nullopt;
    return negative ? -*value : *value;
  }

 private:
  std::string_view text_;
};

std::string date_time_text(LocalTime local, bool always_milliseconds) {
  const auto day = floor<date::days>(local);
  const date::year_month_day ymd(day);
  const date::hh_mm_ss<milliseconds> time(local - day);
  std::string text = fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", static_cast<int>(ymd.year()),
                                 static_cast<unsigned>(ymd.month()), static_cast<unsigned>(ymd.day()),
                                 time.hours().count(), time.minutes().count(), time.seconds().count());
  if (always_milliseconds || time.subseconds().count() != 0) text += fmt::format(".{:03}", time.subseconds().count());
  return text;
}

// A local time as the instants it may be: none in a gap, two in an overlap.
struct Instants {
  std::vector<std::pair<Time, seconds>> at;  // ascending, each with its offset
  Time after_gap{};                          // when `at` is empty: the first instant after the gap
};

// REQUIRES: within the years 1..9998. No offset and no jump of one is larger than 26 hours.
Instants instants_of(const ZoneRules& rules, LocalTime local) {
  const Time as_if_utc(local.time_since_epoch());
  const Time end = as_if_utc + hours(27);
  Instants out;
  bool gap_found = false;
  for (Seconds probe = floor<seconds>(as_if_utc - hours(27)); probe <= end;) {
    const OffsetSpan span = rules.span_at(probe);
    const Time candidate = as_if_utc - span.offset;
    if (span.begin <= candidate && candidate < span.end) out.at.emplace_back(candidate, span.offset);
    if (!gap_found && span.begin + span.offset > as_if_utc) {
      out.after_gap = span.begin;
      gap_found = true;
    }
    probe = std::max(span.end, probe + seconds(1));
  }
  return out;
}

}  // namespace

struct Zone::Impl {
  std::string name;
  ZoneRules rules;

  LocalTime local(Time time) const {
    return LocalTime((time + rules.span_at(floor<seconds>(time)).offset).time_since_epoch());
  }
};

Result<Zone> Zone::find(std::string_view iana_name) {
  CALLVAULT_TRY_ASSIGN(ZoneRules rules, ZoneRules::load(iana_name));
  return Zone(std::make_shared<const Impl>(Impl{std::string(iana_name), std::move(rules)}));
}

const std::string& Zone::name() const { return impl_->name; }

std::int32_t Zone::civil_day(Time time) const {
  const auto day = floor<date::days>(impl_->local(clamp_years(time, 1, 9998)));
  return static_cast<std::int32_t>(day.time_since_epoch().count());
}

Result<Time> Zone::add(Time start, const Period& period) const {
  if (start < start_of(kFirstYear) || start >= start_of(kLastYear + 1))
    return fail(Errc::usage, "a period must start within the years 1970 to 2200");
  if (period.months < 0 || period.days < 0 || period.months > kMaxPeriodMonths || period.days > kMaxPeriodDays)
    return fail(Errc::usage, "a period must be at most 100 years long");

  const seconds offset = impl_->rules.span_at(floor<seconds>(start)).offset;
  const LocalTime local((start + offset).time_since_epoch());
  const auto day = floor<date::days>(local);
  auto ymd = date::year_month_day(day) + date::months(period.months);
  if (!ymd.ok()) ymd = ymd.year() / ymd.month() / date::last;
  const Instants found = instants_of(impl_->rules, date::local_days(ymd) + date::days(period.days) + (local - day));
  if (found.at.empty()) return found.after_gap;
  for (const auto& [instant, its_offset] : found.at)
    if (its_offset == offset) return instant;
  return found.at.front().first;
}

std::string Zone::rfc3339(Time time) const {
  time = clamp_years(time, 1, 9998);
  // Local mean time of long ago had seconds in its offset, which the form has no place for: rounded down, and the
  // local time with it, so that the text still names this instant.
  const auto offset = floor<minutes>(impl_->rules.span_at(floor<seconds>(time)).offset);
  const char sign = offset < minutes(0) ? '-' : '+';
  const auto size = offset < minutes(0) ? -offset : offset;
  return date_time_text(LocalTime((time + offset).time_since_epoch()), false) +
         fmt::format("{}{:02}:{:02}", sign, size / hours(1), (size % hours(1)).count());
}

Result<Time> Zone::parse(std::string_view text) const {
  const auto refuse = [](std::string_view why) {
    return fail(Errc::usage, std::string("a time must be like 2026-11-23, \"2026-11-23 14:05\", 2026-11-23T14:05:09 or "
                                         "2026-11-23T14:05:09+02:00")
                                 .append(why));
  };
  Scanner scan(text.substr(0, kMaxTimeText));
  const auto day = scan.date();
  if (!day) return refuse("");
  const int year = static_cast<int>(day->year());
  if (year < kFirstYear || year > kLastYear) return refuse(", within the years 1970 to 2200");

  const bool whole_day = scan.at_end();
  LocalTime local = date::local_days(*day);
  if (!whole_day) {
    const bool t_mark = scan.mark("Tt");
    if (!t_mark && !scan.mark(" ")) return refuse("");
    const auto time = scan.time_of_day();
    if (!time) return refuse("");
    local += *time;
    if (!scan.at_end()) {
      const auto offset = scan.offset();
      if (!offset || !scan.at_end()) return refuse("");
      const Time instant = Time(local.time_since_epoch()) - *offset;
      if (instant < start_of(kFirstYear)) return refuse(", within the years 1970 to 2200");
      return instant;
    }
  }
  const Instants found = instants_of(impl_->rules, local);
  if (!found.at.empty()) return found.at.front().first;
  if (whole_day) return found.after_gap;
  return refuse(", and one that exists: the clocks skip this one in " + name());
}

std::string day_text(std::int32_t day) {
  const auto first = date::sys_days(date::year(0) / 1 / 1);
  const auto last = date::sys_days(date::year(9999) / 12 / 31);
  const date::year_month_day ymd(std::clamp(date::sys_days(date::days(day)), first, last));
  return fmt::format("{:04}-{:02}-{:02}", static_cast<int>(ymd.year()), static_cast<unsigned>(ymd.month()),
                     static_cast<unsigned>(ymd.day()));
}

Result<std::int32_t> parse_day(std::string_view text) {
  Scanner scan(text);
  const auto day = scan.date();
  if (!day || !scan.at_end()) return fail(Errc::usage, "a date must be like 2026-11-23");
  return static_cast<std::int32_t>(date::sys_days(*day).time_since_epoch().count());
}

std::string utc_text(Time time) {
  return date_time_text(LocalTime(clamp_years(time, 0, 9999).time_since_epoch()), true) + "Z";
}

Result<Time> parse_utc(std::string_view text) {
  constexpr std::string_view kForm = "2026-11-23T10:11:12.345Z";
  Scanner scan(text);
  const auto day = text.size() == kForm.size() ? scan.date() : std::nullopt;
  const bool t_mark = day && scan.mark("T");
  const auto time = t_mark ? scan.time_of_day() : std::nullopt;
  if (!time || !scan.mark("Z") || !scan.at_end())
    return fail(Errc::usage, std::string("an instant must be like ").append(kForm));
  return Time(date::sys_days(*day)) + *time;
}

}  // namespace callvault::base
