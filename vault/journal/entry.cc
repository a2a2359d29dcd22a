#include "journal/entry.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "base/text.h"

namespace callvault::journal {
namespace {

using nlohmann::json;

// An entry about a person is of version 2, every other of version 1.
constexpr std::uint64_t kVersion = 2;
constexpr std::size_t kTimeChars = 24;  // 2026-11-23T10:11:12.345Z
constexpr std::string_view kWordAlphabet = "abcdefghijklmnopqrstuvwxyz_";

Error damaged_entry(const char* what) { return fail(Errc::corrupt, std::string("journal entry: ") + what); }
Error unfit(const char* what) { return fail(Errc::usage, std::string("journal entry cannot be written: ") + what); }

bool is_word(std::string_view text) {
  return !text.empty() && text.size() <= kMaxEventBytes &&
         text.find_first_not_of(kWordAlphabet) == std::string_view::npos;
}

bool is_base64(std::string_view text) {
  if (text.size() % 4 != 0) return false;
  for (int i = 0; i < 2 && text.ends_with('='); ++i) text.remove_suffix(1);
  return std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '+' || c == '/';
  });
}

bool is_plain(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c < 0x7f && c != '"' && c != '\\'; });
}

bool is_utf8(const std::string& text) {
  if (is_plain(text)) return true;
  try {
    (void)json(text).dump();
    return true;
  } catch (const json::exception&) {
    return false;
  }
}

bool is_time(Time at) {
  using namespace std::chrono;
  return at >= Time{} && at < sys_days{year{9999} / 12 / 31} + days{1};
}

void put_digits(std::string& out, unsigned value, int width) {
  std::array<char, 8> digits{};
  for (int i = width - 1; i >= 0; --i, value /= 10)
    digits[static_cast<std::size_t>(i)] = static_cast<char>('0' + value % 10);
  out.append(digits.data(), static_cast<std::size_t>(width));
}

void put_time(std::string& out, Time at) {
  using namespace std::chrono;
  const auto day = floor<days>(at);
  const year_month_day date{day};
  const auto ms = static_cast<unsigned>((at - day).count());
  put_digits(out, static_cast<unsigned>(static_cast<int>(date.year())), 4);
  out += '-';
  put_digits(out, static_cast<unsigned>(date.month()), 2);
  out += '-';
  put_digits(out, static_cast<unsigned>(date.day()), 2);
  out += 'T';
  put_digits(out, ms / 3'600'000, 2);
  out += ':';
  put_digits(out, ms / 60'000 % 60, 2);
  out += ':';
  put_digits(out, ms / 1000 % 60, 2);
  out += '.';
  put_digits(out, ms % 1000, 3);
  out += 'Z';
}

// Lenient where re-encoding catches the difference.
std::optional<Time> read_time(std::string_view text) {
  using namespace std::chrono;
  if (text.size() != kTimeChars) return std::nullopt;
  const auto digits = [&](std::size_t from, std::size_t count) {
    int value = 0;
    for (const char c : text.substr(from, count)) value = c >= '0' && c <= '9' ? value * 10 + (c - '0') : -1'000'000;
    return value;
  };
  const year_month_day date{year{digits(0, 4)}, month{static_cast<unsigned>(digits(5, 2))},
                            day{static_cast<unsigned>(digits(8, 2))}};
  if (digits(0, 4) < 1970 || !date.ok()) return std::nullopt;
  const int hour = digits(11, 2), minute = digits(14, 2), second = digits(17, 2), ms = digits(20, 3);
  if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 59 || ms < 0) return std::nullopt;
  return Time{sys_days{date}} + hours{hour} + minutes{minute} + seconds{second} + milliseconds{ms};
}

void put_string(std::string& out, const std::string& text) {
  if (is_plain(text)) {
    out += '"';
    out += text;
    out += '"';
  } else {
    out += json(text).dump(-1, ' ', false, json::error_handler_t::replace);
  }
}

void put_field(std::string& out, std::string_view name, const std::string& value) {
  if (value.empty()) return;
  out += out.size() > 1 ? ",\"" : "\"";
  out += name;
  out += "\":";
  put_string(out, value);
}

// Takes an object of strings, of which `facts` is an object of strings and `items` an array of strings.
class EntryReader final : public nlohmann::json_sax<json> {
 public:
  bool null() override { return false; }
  bool boolean(bool) override { return false; }
  bool number_integer(number_integer_t) override { return false; }
  bool number_unsigned(number_unsigned_t value) override {
    return depth_ == 1 && field_ == "v" && value >= 1 && value <= kVersion && !std::exchange(has_version_, true);
  }
  bool number_float(number_float_t, const string_t&) override { return false; }
  bool binary(binary_t&) override { return false; }
  bool string(string_t& value) override {
    if (depth_ == 2 && in_items_)
      return entry.items.size() < kMaxItems && (entry.items.push_back(std::move(value)), true);
    if (depth_ == 2)
      return entry.facts.size() < kMaxFacts && entry.facts.emplace(std::move(fact_), std::move(value)).second;
    if (depth_ != 1) return false;
    if (field_ == "at") {
      const auto at = read_time(value);
      if (at) entry.at = *at;
      return at.has_value();
    }
    std::string* const to = field_ == "event"       ? &entry.event
                            : field_ == "actor"     ? &entry.actor
                            : field_ == "actor_key" ? &entry.actor_key
                            : field_ == "note"      ? &entry.note
                            : field_ == "note_key"  ? &entry.note_key
                            : field_ == "person"    ? &entry.person
                                                    : nullptr;
    if (to == nullptr) return false;
    *to = std::move(value);
    return true;
  }
  bool key(string_t& name) override {
    (depth_ == 1 ? field_ : fact_) = std::move(name);
    return true;
  }
  bool start_object(std::size_t) override { return depth_++ == 0 || (depth_ == 2 && field_ == "facts"); }
  bool end_object() override { return depth_-- > 0; }
  bool start_array(std::size_t) override {
    in_items_ = depth_ == 1 && field_ == "items";
    ++depth_;
    return in_items_;
  }
  bool end_array() override {
    in_items_ = false;
    --depth_;
    return true;
  }
  bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception&) override { return false; }

  bool has_version() const { return has_version_; }
  Entry entry;

 private:
  int depth_ = 0;
  bool in_items_ = false, has_version_ = false;
  std::string field_, fact_;
};

// Finds "v" of an object of which nothing else is known, in constant memory.
class VersionReader final : public nlohmann::json_sax<json> {
 public:
  bool null() override { return depth_ > 0; }
  bool boolean(bool) override { return depth_ > 0; }
  bool number_integer(number_integer_t) override { return depth_ > 0; }
  bool number_unsigned(number_unsigned_t value) override {
    if (depth_ == 1 && is_version_) version = value;
    return depth_ > 0;
  }
  bool number_float(number_float_t, const string_t&) override { return depth_ > 0; }
  bool binary(binary_t&) override { return false; }
  bool string(string_t&) override { return depth_ > 0; }
  bool key(string_t& name) override {
    if (depth_ == 1) is_version_ = name == "v";
    return true;
  }
  bool start_object(std::size_t) override { return ++depth_ > 0; }
  bool end_object() override { return --depth_ >= 0; }
  bool start_array(std::size_t) override { return depth_++ > 0; }
  bool end_array() override { return --depth_ > 0; }
  bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception&) override { return false; }

  std::uint64_t version = 0;

 private:
  std::int64_t depth_ = 0;
  bool is_version_ = false;
};

Result<Entry> parse(std::string_view line) {
  EntryReader reader;
  if (!json::sax_parse(line.begin(), line.end(), &reader) || !reader.has_version()) {
    VersionReader version;
    if (json::sax_parse(line.begin(), line.end(), &version) && version.version > kVersion)
      return fail(Errc::newer_version,
                  "journal entry: version " + std::to_string(version.version) + ", written by a later callvault");
    return damaged_entry("not one");
  }
  return std::move(reader.entry);
}

}  // namespace

Result<void> validate(const Entry& entry) {
  if (!is_time(entry.at)) return unfit("its time is outside the years 1970 to 9999");
  if (!is_word(entry.event)) return unfit("its event is not a word of a-z and _");
  if (entry.actor.size() > kMaxActorBytes || !is_base64(entry.actor))
    return unfit("its actor is not a sealed envelope");
  if (!entry.actor_key.empty() && !base::is_plain_name(entry.actor_key, kMaxActorKeyBytes))
    return unfit("its actor key is not a name");
  if (entry.facts.size() > kMaxFacts) return unfit("it has too many facts");
  for (const auto& [name, value] : entry.facts) {
    if (!is_word(name)) return unfit("the name of a fact is not a word of a-z and _");
    if (value.size() > kMaxFactBytes || !is_utf8(value)) return unfit("a fact is too long or not UTF-8");
  }
  if (entry.items.size() > kMaxItems) return unfit("it has too many items");
  for (const std::string& item : entry.items)
    if (item.size() > kMaxItemBytes || !is_utf8(item)) return unfit("an item is too long or not UTF-8");
  if (entry.note.size() > kMaxNoteBytes || !is_base64(entry.note)) return unfit("its note is not a sealed envelope");
  if (!entry.note_key.empty() && !base::is_plain_name(entry.note_key, kMaxNoteKeyBytes))
    return unfit("its note key is not a name");
  if (entry.person.size() > kMaxActorBytes || !is_base64(entry.person))
    return unfit("its person is not a sealed envelope");
  return {};
}

std::string encode(const Entry& entry) {
  std::string out = "{";
  out.reserve(192 + entry.actor.size() + entry.person.size() + entry.note.size() +
              32 * (entry.facts.size() + entry.items.size()));
  put_field(out, "actor", entry.actor);
  put_field(out, "actor_key", entry.actor_key);
  out += out.size() > 1 ? ",\"at\":\"" : "\"at\":\"";
  put_time(out, entry.at);
  out += '"';
  put_field(out, "event", entry.event);
  if (!entry.facts.empty()) {
    out += ",\"facts\":{";
    bool first = true;
    for (const auto& [name, value] : entry.facts) {
      if (!std::exchange(first, false)) out += ',';
      put_string(out, name);
      out += ':';
      put_string(out, value);
    }
    out += '}';
  }
  if (!entry.items.empty()) {
    out += ",\"items\":[";
    bool first = true;
    for (const std::string& item : entry.items) {
      if (!std::exchange(first, false)) out += ',';
      put_string(out, item);
    }
    out += ']';
  }
  put_field(out, "note", entry.note);
  put_field(out, "note_key", entry.note_key);
  put_field(out, "person", entry.person);
  out += entry.person.empty() ? ",\"v\":1}" : ",\"v\":2}";
  return out;
}

Result<Entry> decode(std::string_view line) {
  if (line.size() > kMaxLineBytes) return damaged_entry("longer than it can be");
  CALLVAULT_TRY_ASSIGN(Entry entry, parse(line));
  if (!validate(entry)) return damaged_entry("a field is not what it may be");
  if (encode(entry) != line) return damaged_entry("not in canonical form");
  return entry;
}

}  // namespace callvault::journal
