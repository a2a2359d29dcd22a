#include "cli/meta_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>
#include <set>
#include <span>
#include <string_view>

#include "cli/file_calls.h"
#include "cli/siprec.h"

namespace callvault::cli {
namespace {

constexpr std::size_t kMostJsonBytes = 64 * 1024;
constexpr std::array<std::string_view, 14> kNames{
    "caller",  "called",     "agent", "consent",   "notice",         "notice_played",  "basis",
    "call_id", "started_at", "class", "direction", "consent_offset", "consent_method", "agent_consent"};

// Of a connection's first line, besides.
constexpr std::array<std::string_view, 6> kLineNames{"format",  "rate",       "channels",
                                                     "bitrate", "complexity", "tell_safe"};

Result<std::string> read_bounded(const std::filesystem::path& path) {
  const int fd = open_file(path.c_str(), O_RDONLY);
  if (fd < 0)
    return fail(Errc::io, fmt::format("cannot read the meta file {}: {}", path.string(), std::strerror(errno)));
  std::string text(kMostSiprecBytes + 1, '\0');
  std::size_t size = 0;
  ssize_t n = 1;
  while (n != 0 && size < text.size()) {
    n = ::read(fd, text.data() + size, text.size() - size);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) {
      const Error error =
          fail(Errc::io, fmt::format("cannot read the meta file {}: {}", path.string(), std::strerror(errno)));
      ::close(fd);
      return error;
    }
    size += static_cast<std::size_t>(n);
  }
  ::close(fd);
  if (size > kMostSiprecBytes) return fail(Errc::usage, path.string() + " is longer than 256 KiB");
  text.resize(size);
  return text;
}

// JSON begins with something else, whatever it is.
bool is_xml(std::string_view text) {
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
  const auto first = text.find_first_not_of(" \t\r\n");
  return first != std::string_view::npos && text[first] == '<';
}

// `whose`: for messages.
Result<std::map<std::string, std::string>> parse_json(std::string_view text, const std::string& whose,
                                                      std::span<const std::string_view> line_names) {
  std::set<std::string> seen;
  std::string twice;
  const auto on_event = [&](int depth, nlohmann::json::parse_event_t event, nlohmann::json& parsed) {
    if (depth > 1) return false;  // nothing nested is wanted, nor a stack for it
    if (event == nlohmann::json::parse_event_t::key && !seen.insert(parsed.get<std::string>()).second)
      twice = parsed.get<std::string>();
    return true;
  };
  // The parser takes a NUL for the end, whatever follows it.
  if (text.find('\0') != std::string_view::npos) return fail(Errc::usage, whose + " is not a JSON object");
  const auto json = nlohmann::json::parse(text, on_event, false);
  if (!json.is_object()) return fail(Errc::usage, whose + " is not a JSON object");
  if (!twice.empty()) return fail(Errc::usage, fmt::format("{}: the name {} stands twice", whose, twice));
  std::map<std::string, std::string> out;
  for (const auto& [name, value] : json.items()) {
    const bool is_of_line = std::ranges::find(line_names, name) != line_names.end();
    if (!is_of_line && std::ranges::find(kNames, name) == kNames.end())
      return fail(Errc::usage, fmt::format("{}: unknown name {}", whose, name));
    if (value.is_null()) continue;  // not known, as in what --json prints
    if (name == "notice_played" || name == "tell_safe") {
      if (!value.is_boolean())
        return fail(Errc::usage, fmt::format("{}: the value of {} is neither true nor false", whose, name));
      out[name] = value.get<bool>() ? "yes" : "no";
      continue;
    }
    if (is_of_line && value.is_number_unsigned())
      out[name] = std::to_string(value.get<std::uint64_t>());
    else if (value.is_string())
      out[name] = value.get<std::string>();
    else
      return fail(Errc::usage, fmt::format("{}: the value of {} is not a string", whose, name));
  }
  return out;
}

}  // namespace

Result<std::map<std::string, std::string>> read_meta_file(const std::filesystem::path& path, const GivenMeta& given) {
  if (path == "-") return fail(Errc::usage, "--meta-file takes a file; standard input is for audio");
  CALLVAULT_TRY_ASSIGN(const std::string text, read_bounded(path));
  if (is_xml(text)) {
    auto values = read_siprec(text, given);
    return values ? std::move(values) : fail(values.error().code, path.string() + ": " + values.error().message);
  }
  if (text.size() > kMostJsonBytes) return fail(Errc::usage, path.string() + " is longer than 64 KiB");
  return parse_json(text, path.string(), {});
}

Result<CallLine> parse_call_line(std::string_view line) {
  CallLine out;
  CALLVAULT_TRY_ASSIGN(out.values, parse_json(line, "the first line", kLineNames));
  if (const auto node = out.values.extract("tell_safe")) out.tells_safe = node.mapped() == "yes";
  return out;
}

}  // namespace callvault::cli
