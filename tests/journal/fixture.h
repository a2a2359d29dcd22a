// A journal in a temporary folder, with a fixed key.
#pragma once

#include <doctest/doctest.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "base/text.h"
#include "crypto/random.h"
#include "journal/journal.h"

namespace callvault::journal {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

inline constexpr std::chrono::milliseconds kPatience = 30s;
inline constexpr const char* kOrigin = "example.com/vault-7";

class TempFolder {
 public:
  TempFolder() {
    std::array<std::byte, 12> name{};
    crypto::fill_random(name);
    path = fs::temp_directory_path() / ("callvault-journal-" + base::to_hex(name));
    fs::create_directory(path);
  }
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;
  ~TempFolder() {
    std::error_code ignored;
    fs::remove_all(path, ignored);
  }
  fs::path path;
};

// Bytes 0 to 31. Made anew where it is needed: keys do not survive a fork.
inline crypto::Key fixed_seed() {
  std::array<std::byte, 32> bytes{};
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::byte>(i);
  return crypto::Key::copy_of(crypto::Key::View(bytes)).value();
}

inline Time time_of(std::int64_t n) { return Time(std::chrono::milliseconds(1'795'428'672'345 + n)); }

inline Entry entry_of(std::uint64_t n) {
  Entry out{.at = time_of(static_cast<std::int64_t>(n)), .event = "opened"};
  out.facts["id"] = "r" + std::to_string(n);
  out.facts["purpose"] = "complaint";
  return out;
}

inline std::vector<Entry> entries_of(std::uint64_t first, std::uint64_t count) {
  std::vector<Entry> out;
  for (std::uint64_t i = 0; i < count; ++i) out.push_back(entry_of(first + i));
  return out;
}

inline std::string slurp(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

inline void spill(const fs::path& path, const std::string& text) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << text;
}

struct Fixture {
  Fixture() : seed(fixed_seed()), key(crypto::signing_public_key(seed)), folder(temp.path / "journal") {
    REQUIRE(Journal::create(folder, kOrigin, seed));
  }
  Journal open() const {
    auto out = Journal::open(folder);
    REQUIRE(out);
    return std::move(out).value();
  }
  void append(std::uint64_t first, std::uint64_t count) const {
    auto log = open();
    const auto at = log.append(entries_of(first, count), seed, kPatience);
    REQUIRE_MESSAGE(at, at.error().message);
    REQUIRE(*at == first);
  }
  VerifyReport verify(std::optional<Head> at_least = std::nullopt) const {
    const auto out = open().verify(key, at_least);
    REQUIRE(out);
    return *out;
  }
  // Untouched, and complete in everything it should have.
  void require_sound(std::uint64_t size) const {
    const auto report = verify();
    for (const std::string& problem : report.problems) FAIL_CHECK(problem);
    REQUIRE(report.head.size == size);
    REQUIRE(report.checkpoint_ok);
    REQUIRE(report.derived_ok);
    REQUIRE(report.torn_bytes == 0);
    REQUIRE(report.unsigned_entries == 0);
    REQUIRE(report.head == open().head().value());
    for (std::uint64_t i = 0; i < size; i += 1 + size / 16) REQUIRE(open().entry(i).value() == entry_of(i));
  }

  TempFolder temp;
  crypto::Key seed;
  crypto::SigningPublicKey key;
  fs::path folder;
};

}  // namespace callvault::journal
