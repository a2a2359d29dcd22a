// YearlyRule: the POSIX rule at the end of a time zone file.
#include <date/date.h>

#include <array>
#include <optional>

#include "base/zone_file.h"

namespace callvault::base {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

class RuleReader {
 public:
  explicit RuleReader(std::string_view text) : text_(text) {}

  std::optional<YearlyRule> read() {
    YearlyRule rule;
    // POSIX counts offsets westward.
    if (!name() || !offset(rule.standard_)) return std::nullopt;
    rule.standard_ = -rule.standard_;
    if (text_.empty()) return rule;
    rule.changes_ = true;
    if (!name()) return std::nullopt;
    rule.summer_ = rule.standard_ + hours(1);
    if (!text_.empty() && text_.front() != ',') {
      if (!offset(rule.summer_)) return std::nullopt;
      rule.summer_ = -rule.summer_;
    }
    if (!change(rule.to_summer_) || !change(rule.to_standard_) || !text_.empty()) return std::nullopt;
    return rule;
  }

 private:
  bool mark(char c) {
    if (text_.empty() || text_.front() != c) return false;
    text_.remove_prefix(1);
    return true;
  }
  // "EET" or "<+1030>".
  bool name() {
    const bool quoted = mark('<');
    const std::string_view letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ+-0123456789";
    const auto end = std::min(text_.find_first_not_of(quoted ? letters : letters.substr(0, 52)), text_.size());
    text_.remove_prefix(end);
    return end >= 3 && (!quoted || mark('>'));
  }
  // 1 to 3 digits, at most `max`.
  bool number(unsigned& out, unsigned max) {
    std::size_t count = 0;
    for (out = 0; count < 3 && !text_.empty() && text_.front() >= '0' && text_.front() <= '9'; ++count) {
      out = out * 10 + static_cast<unsigned>(text_.front() - '0');
      text_.remove_prefix(1);
    }
    return count > 0 && out <= max;
  }
  // "3", "-1", "+10:30", "50": up to a week of hours.
  bool signed_time(seconds& out) {
    const bool negative = mark('-');
    if (!negative) mark('+');
    unsigned h = 0, m = 0, s = 0;
    if (!number(h, 167) || (mark(':') && (!number(m, 59) || (mark(':') && !number(s, 59))))) return false;
    out = hours(h) + minutes(m) + seconds(s);
    if (negative) out = -out;
    return true;
  }
  // As in the file's own types (RFC 8536, 3.2); whoever turns local times into instants counts on it.
  bool offset(seconds& out) { return signed_time(out) && out > -hours(26) && out < hours(26); }
  // ",M3.5.0/3"
  bool change(YearlyRule::Change& out) {
    if (!mark(',') || !mark('M') || !number(out.month, 12) || out.month == 0) return false;
    if (!mark('.') || !number(out.week, 5) || out.week == 0) return false;
    if (!mark('.') || !number(out.weekday, 6)) return false;
    return !mark('/') || signed_time(out.at);
  }

  std::string_view text_;
};

Result<YearlyRule> YearlyRule::parse(std::string_view text) {
  const auto rule = RuleReader(text).read();
  if (!rule) return fail(Errc::corrupt, "not a usable yearly rule of a time zone");
  return *rule;
}

seconds YearlyRule::local_in_year(const Change& change, int year) {
  const auto month = date::year(year) / date::month(change.month);
  const date::weekday weekday(change.weekday);
  const date::local_days day =
      change.week == 5 ? date::local_days(month / weekday[date::last]) : date::local_days(month / weekday[change.week]);
  return day.time_since_epoch() + change.at;
}

OffsetSpan YearlyRule::span_at(Seconds time) const {
  if (!changes_) return {date::sys_days(date::year(-1) / 1 / 1), date::sys_days(date::year(10001) / 1 / 1), standard_};
  // The changes of the years around, in order; the span is between two of them.
  const int year = static_cast<int>(date::year_month_day(std::chrono::floor<date::days>(time)).year());
  std::optional<OffsetSpan> before;
  Seconds end = Seconds::max();
  for (int y = year - 1; y <= year + 1; ++y) {
    const std::array<OffsetSpan, 2> starts{
        OffsetSpan{Seconds(local_in_year(to_summer_, y) - standard_), Seconds::max(), summer_},
        OffsetSpan{Seconds(local_in_year(to_standard_, y) - summer_), Seconds::max(), standard_}};
    for (const OffsetSpan& start : starts) {
      if (start.begin <= time && (!before || start.begin > before->begin)) before = start;
      if (start.begin > time) end = std::min(end, start.begin);
    }
  }
  before->end = end;  // a year before there were two changes, a year on there will be two
  return *before;
}

}  // namespace callvault::base
