// A temporary catalogue and made-up rows.
#pragma once

#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <random>
#include <string>
#include <vector>

#include "base/text.h"
#include "catalog/catalog.h"
#include "crypto/random.h"

namespace callvault::catalog {

inline RecordingId random_id() {
  std::array<std::byte, 16> bytes{};
  crypto::fill_random(bytes);
  return RecordingId(bytes);
}

class Folder {
 public:
  Folder() {
    REQUIRE(crypto::ready());
    std::array<std::byte, 8> random{};
    crypto::fill_random(random);
    // What is asked here is what a catalogue says, not what a disk keeps: in memory where there is a place for it.
    const std::filesystem::path memory = "/dev/shm";
    path_ = (::access(memory.c_str(), W_OK) == 0 ? memory : std::filesystem::temp_directory_path()) /
            ("callvault-catalog-" + base::to_hex(random));
    std::filesystem::create_directory(path_);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() {
    std::error_code error;
    std::filesystem::remove_all(path_, error);
  }
  os::Path catalog() const { return path_ / "catalog"; }
  os::Path data() const { return catalog() / "data.mdb"; }
  const os::Path& path() const { return path_; }

 private:
  os::Path path_;
};

inline Row row_of(const std::string& caller, const std::string& agent = "ana") {
  Row row;
  row.caller = caller;
  row.called = "+40215550100";
  row.agent = agent;
  return row;
}

inline crypto::Key random_key() {
  auto key = crypto::Key::random();
  REQUIRE(key);
  return std::move(*key);
}

// One entry with its row sealed under a secret that is told to nobody.
inline Entry entry_of(const Row& row, Blinder& blinder, std::uint32_t day = 20000, Consent consent = Consent::granted) {
  Entry entry;
  entry.id = random_id();
  entry.day = day;
  entry.consent = consent;
  const crypto::Key secret = random_key();
  auto sealed = seal_row(row, secret, entry.id);
  REQUIRE(sealed);
  entry.sealed_row = std::move(*sealed);
  entry.tokens = blinder.tokens_of(row);
  return entry;
}

inline std::string number(int i) { return "+4072" + std::to_string(1000000 + i); }

// `count` rows of callers number(0), number(1) ... of which each calls `each` times.
inline BucketRows bucket_of(std::uint32_t bucket, std::uint64_t generation, const crypto::Key& key, int count,
                            int each = 1) {
  Blinder blinder(key);
  BucketRows rows;
  rows.bucket = bucket;
  rows.generation = generation;
  for (int i = 0; i < count; ++i) rows.entries.push_back(entry_of(row_of(number(i / each)), blinder, 20000 + bucket));
  return rows;
}

inline Catalog open_new(const Folder& folder) {
  auto catalog = Catalog::open(folder.catalog());
  REQUIRE_MESSAGE(catalog, (catalog ? "" : catalog.error().message));
  return std::move(*catalog);
}

inline std::vector<char> read_all(const os::Path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

inline void write_all(const os::Path& path, const std::vector<char>& data) {
  std::ofstream(path, std::ios::binary | std::ios::trunc).write(data.data(), static_cast<std::streamsize>(data.size()));
}

// Runs `work` in a child; its answer is the exit code, or 1000 + the signal that ended it.
template <typename Work>
int in_child(Work work) {
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) ::_exit(work());
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  return WIFSIGNALED(status) ? 1000 + WTERMSIG(status) : WEXITSTATUS(status);
}

}  // namespace callvault::catalog
