#include "base/civil_time.h"
#include "base/phone.h"
#include "base/text.h"
#include "base/zone_file.h"
#include "callvault/options.h"
#include "callvault/passphrase.h"
#include "callvault/retention.h"
#include "cli/siprec.h"
#include "cli/text.h"
#include "cli/time.h"
#include "hostile/parsers.h"
#include "sealed/names.h"

namespace callvault::hostile {
namespace {

using base::as_text;
using base::ByteView;

template <typename T>
Answer of(const Result<T>& result, std::string (*show)(const T&)) {
  return result ? accepted(show(*result)) : refusal(result.error());
}
template <typename T>
Answer of(const std::optional<T>& result, std::string (*show)(const T&)) {
  return result ? accepted(show(*result)) : Answer{"no", {}, {}};
}

std::string show_time(const Time& time) { return base::utc_text(time); }
std::string show_bytes(const base::Bytes& bytes) { return base::to_hex(bytes); }
std::string show_text(const std::string& text) { return text; }

const base::Zone& bucharest() {
  static const base::Zone zone = base::Zone::find("Europe/Bucharest").value();
  return zone;
}

template <typename T>
Parser words(Result<T> (*parse)(std::string_view)) {
  return [parse](ByteView in) {
    const auto value = parse(as_text(in));
    return value ? accepted(std::string(to_word(*value))) : refusal(value.error());
  };
}

// "2026-08-31 12:00 + 6mo"
Answer add_period(ByteView in) {
  const auto text = as_text(in);
  const auto plus = text.find(" + ");
  if (plus == std::string_view::npos) return {"no", {}, {}};
  const auto start = bucharest().parse(text.substr(0, plus));
  if (!start) return refusal(start.error());
  const auto period = Period::parse(text.substr(plus + 3));
  if (!period) return refusal(period.error());
  const auto end = bucharest().add(*start, *period);
  return end ? accepted(bucharest().rfc3339(*end)) : refusal(end.error());
}

// "+40 0722 123 456": the country code stands before the first space, "-" for none.
Answer number_in(ByteView in) {
  const auto text = as_text(in);
  const auto space = text.find(' ');
  const auto code = text.substr(0, space);
  return of(base::normalise_number(text.substr(space + 1), code == "-" ? "" : code), show_text);
}

Answer file_name(ByteView in) {
  const auto name = sealed::parse_file_name(as_text(in));
  return name ? accepted(sealed::to_text(*name)) : Answer{"no", {}, {}};
}

Answer siprec(ByteView in) {
  const auto values = cli::read_siprec(as_text(in), {{"direction", "in"}});
  if (!values) return refusal(values.error());
  std::string out;
  for (const auto& [name, value] : *values) out += (out.empty() ? "" : " ") + name + "=" + value;
  return accepted(out);
}

// What reaches a terminal: no byte that moves it.
Answer printed(ByteView in) {
  const std::string out = cli::printable(as_text(in));
  for (const char c : out)
    if ((static_cast<unsigned char>(c) < 0x20) || c == 0x7f) return {"unexpected", out, "a control character"};
  return accepted(out);
}

}  // namespace

void add_text_parsers(Parsers& to) {
  to["day"] = [](ByteView in) {
    const auto day = base::parse_day(as_text(in));
    return day ? accepted(base::day_text(*day)) : refusal(day.error());
  };
  to["utc"] = [](ByteView in) { return of(base::parse_utc(as_text(in)), show_time); };
  to["time"] = [](ByteView in) { return of(bucharest().parse(as_text(in)), show_time); };
  to["period"] = [](ByteView in) {
    const auto period = Period::parse(as_text(in));
    return period ? accepted(period->text()) : refusal(period.error());
  };
  to["time + period"] = add_period;
  to["zone name"] = [](ByteView in) {
    const auto zone = base::Zone::find(as_text(in));
    return zone ? accepted(zone->name()) : refusal(zone.error());
  };
  to["zone rule"] = [](ByteView in) {
    const auto rule = base::YearlyRule::parse(as_text(in));
    return rule ? accepted() : refusal(rule.error());
  };
  to["zone file"] = [](ByteView in) {
    const auto rules = base::ZoneRules::parse(in);
    return rules ? accepted() : refusal(rules.error());
  };
  to["number"] = number_in;
  to["id"] = [](ByteView in) {
    const auto id = RecordingId::parse(as_text(in));
    return id ? accepted(id->text()) : refusal(id.error());
  };
  to["hex"] = [](ByteView in) { return of(base::from_hex(as_text(in)), show_bytes); };
  to["base32"] = [](ByteView in) { return of(base::from_base32(as_text(in)), show_bytes); };
  to["base64"] = [](ByteView in) { return of(base::from_base64(as_text(in)), show_bytes); };
  to["plain name"] = [](ByteView in) {
    return base::is_plain_name(as_text(in), 64) ? accepted() : Answer{"no", {}, {}};
  };
  to["file name"] = file_name;
  to["control file name"] = [](ByteView in) {
    const auto id = sealed::parse_control_file_name(as_text(in));
    return id ? accepted(id->text()) : Answer{"no", {}, {}};
  };
  to["passphrase"] = [](ByteView in) {
    std::string text(as_text(in));
    const auto taken = Passphrase::take(text);
    if (!taken) return refusal(taken.error());
    return text.find_first_not_of('\0') == std::string::npos ? accepted() : Answer{"unexpected", {}, "not wiped"};
  };
  to["consent"] = words(&parse_consent);
  to["party"] = words(&parse_party);
  to["track"] = words(&parse_track);
  to["direction"] = words(&parse_direction);
  to["basis"] = words(&parse_basis);
  to["state"] = words(&parse_state);
  to["purpose"] = words(&parse_purpose);
  to["role"] = words(&parse_role);
  to["position"] = [](ByteView in) {
    const auto position = cli::parse_position(as_text(in), "it");
    return position ? accepted(std::to_string(position->count())) : refusal(position.error());
  };
  to["whole number"] = [](ByteView in) {
    const auto value = cli::parse_number(as_text(in), "it", 1, 1'000'000);
    return value ? accepted(std::to_string(*value)) : refusal(value.error());
  };
  to["printed"] = printed;
  to["siprec"] = siprec;
}

}  // namespace callvault::hostile
