// What the tests of the key state share: fixed keys, frozen files, a folder that goes away.
#pragma once

#include <doctest/doctest.h>

#include <cctype>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "base/text.h"
#include "callvault/call_record.h"
#include "crypto/random.h"
#include "crypto/secret.h"

namespace callvault::keys_test {

template <typename Array>
Array filled(std::uint8_t value) {
  Array out{};
  out.fill(static_cast<std::byte>(value));
  return out;
}

inline crypto::Key fixed_key(std::uint8_t value) {
  const auto bytes = filled<std::array<std::byte, 32>>(value);
  auto key = crypto::Key::copy_of(crypto::Key::View(bytes));
  REQUIRE(key.has_value());
  return std::move(*key);
}

inline RecordingId id_of(std::uint8_t value) {
  return RecordingId(filled<std::array<std::byte, RecordingId::kBytes>>(value));
}

// tests/vectors/keys/<name>: hexadecimal, white space and lines that begin with # do not count.
inline base::Bytes vector_file(const std::string& name) {
  std::ifstream in(std::filesystem::path(CALLVAULT_TESTS) / "vectors" / "keys" / name);
  REQUIRE(in.good());
  std::string digits;
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with('#')) continue;
    for (const char c : line)
      if (std::isspace(static_cast<unsigned char>(c)) == 0) digits += c;
  }
  auto bytes = base::from_hex(digits);
  REQUIRE(bytes.has_value());
  return std::move(*bytes);
}

// The bytes of an example in docs/format/keys.md: the indented lines under this heading, each hexadecimal, then words.
inline base::Bytes example(const std::string& heading) {
  std::ifstream in(std::filesystem::path(CALLVAULT_TESTS) / ".." / "docs" / "format" / "keys.md");
  REQUIRE(in.good());
  std::string line;
  while (std::getline(in, line) && line != "### " + heading) continue;
  std::string digits;
  while (std::getline(in, line) && !line.starts_with('#'))
    if (line.starts_with("    ")) digits += line.substr(4, line.find(' ', 4) - 4);
  auto bytes = base::from_hex(digits);
  REQUIRE(bytes.has_value());
  return std::move(*bytes);
}

class TempFolder {
 public:
  TempFolder() {
    std::array<std::byte, 8> tag{};
    crypto::fill_random(tag);
    path_ = std::filesystem::temp_directory_path() / ("callvault-keys-" + base::to_hex(tag));
    std::filesystem::create_directories(path_);
  }
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;
  ~TempFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace callvault::keys_test
