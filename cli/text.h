// Small text helpers: what may reach a terminal, numbers people type, sizes people read.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "callvault/result.h"

namespace callvault::cli {

// `text` with control characters, text-direction overrides and invalid UTF-8 written as \xNN or \u{NNNN}.
std::string printable(std::string_view text);
// Columns a terminal needs for printable text: its code points.
std::size_t columns(std::string_view text);

// A whole number within [low, high]; Errc::usage, naming `what`, else.
Result<std::uint64_t> parse_number(std::string_view text, std::string_view what, std::uint64_t low, std::uint64_t high);
// yes or no; Errc::usage else.
Result<bool> parse_yes_no(std::string_view text, std::string_view what);

// An error of a value, saying which option it came by; the value itself stays out, as it may be there by mistake.
Error about(std::string_view option, Error error);
template <typename T>
Result<T> about(std::string_view option, Result<T> result) {
  if (result || result.error().code != Errc::usage) return result;
  return about(option, std::move(result).error());
}
// As above, if the message begins with `words`; else the error as it is.
Error about(std::string_view option, std::string_view words, Error error);

// A file of the user's that cannot be opened is Errc::io: nothing of the vault is missing or refused.
Error as_input(const std::filesystem::path& file, Error error);
template <typename T>
Result<T> as_input(const std::filesystem::path& file, Result<T> result) {
  if (result) return result;
  return as_input(file, std::move(result).error());
}

std::vector<std::string> split(std::string_view text, char separator);
std::string join(const std::vector<std::string>& words, std::string_view separator);
std::string human_bytes(std::uint64_t bytes);            // "12.3 kB"
std::string human_duration(std::optional<double> secs);  // "1:02:03", "4:07", "-"
std::string count(std::uint64_t n, std::string_view one, std::string_view many);

// A non-empty environment variable.
std::optional<std::string> environment(const char* name);

}  // namespace callvault::cli
