#include "base/zone_file.h"

#include <date/date.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <memory>
#include <string>
#include <system_error>
#include <utility>

namespace callvault::base {
namespace {

constexpr std::string_view kFolder = "/usr/share/zoneinfo/";
constexpr std::size_t kMaxFileBytes = 64 * 1024;  // the largest of 2025 is 3,664 bytes
constexpr std::size_t kMaxNameBytes = 64;
constexpr std::size_t kHeaderBytes = 44;
constexpr std::size_t kTypeBytes = 6;
constexpr std::int64_t kMaxOffset = 26 * 3600;  // RFC 8536, 3.2
constexpr Seconds kFirst = date::sys_days(date::year(-1) / 1 / 1);
constexpr Seconds kLast = date::sys_days(date::year(10001) / 1 / 1);

// The host's fault, not the name's. With errno of the call that failed.
Error unreadable(const std::string& path) {
  const int number = errno;
  return fail(Errc::io, "cannot read " + path + ": " + std::generic_category().message(number));
}

Error damaged() { return fail(Errc::corrupt, "not a usable time zone file"); }

// Big-endian, two's complement.
template <typename T>
T big_endian(ByteView bytes) {
  std::uint64_t value = 0;
  for (const std::byte b : bytes.first(sizeof(T))) value = value << 8 | std::to_integer<std::uint64_t>(b);
  return static_cast<T>(value);
}

struct Header {
  std::byte version;
  std::uint32_t utc_count, standard_count, leap_count, time_count, type_count, char_count;

  std::size_t data_bytes(std::size_t time_bytes) const {
    return std::size_t{time_count} * (time_bytes + 1) + std::size_t{type_count} * kTypeBytes + char_count +
           std::size_t{leap_count} * (time_bytes + 4) + standard_count + utc_count;
  }
};

Result<Header> read_header(ByteView file) {
  if (file.size() < kHeaderBytes || as_text(file.first(4)) != "TZif") return damaged();
  const auto count = [&](std::size_t i) { return big_endian<std::uint32_t>(file.subspan(20 + 4 * i)); };
  const Header header{file[4], count(0), count(1), count(2), count(3), count(4), count(5)};
  for (std::size_t i = 0; i < 6; ++i)
    if (count(i) > kMaxFileBytes) return damaged();
  return header;
}

// No absolute path, no way up, and nothing that means another zone on another host.
bool is_zone_name(std::string_view name) {
  constexpr std::string_view kAllowed = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789/_+-";
  return !name.empty() && name.size() <= kMaxNameBytes && name.find_first_not_of(kAllowed) == std::string_view::npos &&
         name.front() != '/' && name.back() != '/' && name != "localtime" && name != "posixrules";
}

}  // namespace

Result<ZoneRules> ZoneRules::load(std::string_view iana_name) {
  const auto unknown = [&] {
    return fail(Errc::usage, "no time zone of this name on this host; expected one such as Europe/Bucharest");
  };
  if (!is_zone_name(iana_name)) return unknown();
  const std::string path = std::string(kFolder).append(iana_name);
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rbe"), &std::fclose);
  if (!file && (errno == ENOENT || errno == ENOTDIR || errno == EACCES || errno == ELOOP)) return unknown();
  if (!file) return unreadable(path);
  Bytes content(kMaxFileBytes);
  content.resize(std::fread(content.data(), 1, content.size(), file.get()));  // 0 for a folder
  if (std::ferror(file.get()) != 0 && errno != EISDIR) return unreadable(path);
  auto rules = content.size() < kMaxFileBytes ? parse(content) : Result<ZoneRules>(damaged());
  if (!rules) return unknown();
  return rules;
}

Result<ZoneRules> ZoneRules::parse(ByteView file) {
  // The first block has 32-bit times, for old readers; the second has 64-bit ones.
  CALLVAULT_TRY_ASSIGN(const Header old, read_header(file));
  if (old.version < std::byte{'2'} || file.size() - kHeaderBytes < old.data_bytes(4)) return damaged();
  file = file.subspan(kHeaderBytes + old.data_bytes(4));
  CALLVAULT_TRY_ASSIGN(const Header header, read_header(file));
  file = file.subspan(kHeaderBytes);
  if (file.size() < header.data_bytes(8) || header.type_count == 0 || header.leap_count != 0) return damaged();

  const ByteView times = file.first(std::size_t{header.time_count} * 8);
  const ByteView indices = file.subspan(times.size(), header.time_count);
  const ByteView types = file.subspan(times.size() + indices.size(), header.type_count * kTypeBytes);
  bool in_range = true;
  const auto offset_of = [&](std::size_t type) {
    const std::int64_t offset =
        type < header.type_count ? big_endian<std::int32_t>(types.subspan(type * kTypeBytes)) : kMaxOffset;
    in_range = in_range && offset > -kMaxOffset && offset < kMaxOffset;
    return std::chrono::seconds(offset);
  };
  ZoneRules rules;
  rules.offsets_.push_back(offset_of(0));
  for (std::size_t i = 0; i < header.time_count; ++i) {
    rules.transitions_.push_back(big_endian<std::int64_t>(times.subspan(i * 8)));
    rules.offsets_.push_back(offset_of(std::to_integer<std::size_t>(indices[i])));
    if (i > 0 && rules.transitions_[i - 1] >= rules.transitions_[i]) return damaged();
  }
  if (!in_range) return damaged();

  std::string_view footer = as_text(file.subspan(header.data_bytes(8)));
  if (footer.size() < 2 || footer.front() != '\n' || footer.back() != '\n') return damaged();
  footer = footer.substr(1, footer.size() - 2);
  if (footer.empty()) return rules;
  CALLVAULT_TRY_ASSIGN(rules.after_, YearlyRule::parse(footer));
  return rules;
}

OffsetSpan ZoneRules::span_at(Seconds time) const {
  const auto next = std::upper_bound(transitions_.begin(), transitions_.end(), time.time_since_epoch().count());
  const auto index = static_cast<std::size_t>(next - transitions_.begin());
  const auto instant = [](std::int64_t t) { return std::clamp(Seconds(std::chrono::seconds(t)), kFirst, kLast); };
  const Seconds begin = index == 0 ? kFirst : instant(transitions_[index - 1]);
  if (next != transitions_.end()) return {begin, instant(*next), offsets_[index]};
  if (!after_) return {begin, kLast, offsets_[index]};
  const OffsetSpan span = after_->span_at(time);
  return {std::max(begin, span.begin), span.end, span.offset};
}

}  // namespace callvault::base
