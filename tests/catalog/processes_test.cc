#include <signal.h>
#include <sys/resource.h>

#include <thread>

#include "catalog/catalog_fixture.h"
#include "catalog/env.h"
#include "os/lock.h"

using namespace callvault;
using namespace callvault::catalog;

TEST_CASE("a held lock is met with a deadline") {
  const Folder folder;
  const crypto::Key key = random_key();
  open_new(folder);
  auto catalog = Catalog::open(folder.catalog(), OpenMode::existing, std::chrono::milliseconds(80));
  REQUIRE(catalog);
  {
    auto held = os::Lock::acquire(folder.catalog() / "lock", os::LockMode::exclusive, std::chrono::seconds(1));
    REQUIRE(held);
    const auto start = std::chrono::steady_clock::now();
    CHECK(catalog->replace_bucket({1, 1, {}}).error().code == Errc::busy);
    CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(3));
    CHECK(catalog->generations());  // reading needs no lock
    CHECK(Catalog::discard(folder.catalog(), std::chrono::milliseconds(20)).error().code == Errc::busy);
  }
  CHECK(catalog->replace_bucket({1, 1, {}}));
}

TEST_CASE("eight processes write and read") {
  const Folder folder;
  const crypto::Key key = random_key();
  std::vector<pid_t> children;
  for (std::uint32_t process = 0; process < 8; ++process) {
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
      auto child_key = crypto::Key::random();  // locked pages are not inherited
      if (!child_key) ::_exit(1);
      auto catalog = Catalog::open(folder.catalog());
      if (!catalog) ::_exit(2);
      for (std::uint64_t generation = 1; generation <= 12; ++generation) {
        const BucketRows rows = bucket_of(process, generation, *child_key, 40);
        if (!catalog->replace_bucket(rows)) ::_exit(3);
        const BucketKey keys[] = {{process, generation, &*child_key}};
        const auto hits = catalog->lookup_all(keys, Field::caller, number(7));
        if (!hits || hits->found.size() != 1 || hits->found[0].id != rows.entries[7].id) ::_exit(4);
        if (!catalog->generations()) ::_exit(5);
      }
      ::_exit(0);
    }
    children.push_back(child);
  }
  for (const pid_t child : children) {
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    CHECK(status == 0);
  }
  Catalog catalog = open_new(folder);
  CHECK(catalog.check()->rows == 8 * 40);
  const auto generations = catalog.generations();
  REQUIRE(generations);
  for (const auto& [bucket, generation] : *generations) CHECK(generation == 12);
}

TEST_CASE("a killed process neither blocks nor pins, and what was done stays") {
  const Folder folder;
  const crypto::Key key = random_key();
  {
    Catalog catalog = open_new(folder);
    REQUIRE(catalog.replace_bucket(bucket_of(0, 1, key, 500)));
  }
  for (int round = 0; round < 10; ++round) {
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
      auto child_key = crypto::Key::random();
      auto catalog = Catalog::open(folder.catalog());
      if (!catalog || !child_key) ::_exit(1);
      for (std::uint64_t generation = 2;; ++generation) {
        if (!catalog->replace_bucket(bucket_of(1, generation, *child_key, 100))) ::_exit(2);
        if (!catalog->generations()) ::_exit(3);
      }
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(20 + 13 * round));
    ::kill(child, SIGKILL);
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    CHECK(WIFSIGNALED(status));
    Catalog catalog = open_new(folder);
    CHECK(catalog.check());
    REQUIRE(catalog.replace_bucket(bucket_of(2, static_cast<std::uint64_t>(round) + 1, key, 50)));
  }
  // Pages freed by each replacement are used again: nobody dead pins them.
  Catalog catalog = open_new(folder);
  for (std::uint64_t i = 0; i < 10; ++i) REQUIRE(catalog.replace_bucket(bucket_of(1, 100 + i, key, 400)));
  const auto size = std::filesystem::file_size(folder.data());
  for (std::uint64_t i = 0; i < 40; ++i) REQUIRE(catalog.replace_bucket(bucket_of(1, 200 + i, key, 400)));
  CHECK(std::filesystem::file_size(folder.data()) <= size + (2 << 20));
}

TEST_CASE("a reader killed while it reads does not pin its pages for ever, even for one that was open before") {
  const Folder folder;
  const crypto::Key key = random_key();
  Catalog catalog = open_new(folder);
  for (std::uint64_t i = 0; i < 6; ++i) REQUIRE(catalog.replace_bucket(bucket_of(1, 1 + i, key, 400)));
  int ready[2];
  REQUIRE(::pipe(ready) == 0);
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    auto env = Env::open(folder.catalog(), false);
    if (!env) ::_exit(1);
    const auto pinned = (*env)->snapshot();
    if (!pinned || ::write(ready[1], "r", 1) != 1) ::_exit(2);
    while (true) ::pause();
  }
  char byte = 0;
  ::close(ready[1]);
  REQUIRE(::read(ready[0], &byte, 1) == 1);
  ::close(ready[0]);
  // While it lives its pages must stay: the file grows.
  const auto before = std::filesystem::file_size(folder.data());
  for (std::uint64_t i = 0; i < 25; ++i) REQUIRE(catalog.replace_bucket(bucket_of(1, 100 + i, key, 400)));
  const auto pinned = std::filesystem::file_size(folder.data());
  CHECK(pinned > before + (4 << 20));
  ::kill(child, SIGKILL);
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  for (std::uint64_t i = 0; i < 50; ++i) REQUIRE(catalog.replace_bucket(bucket_of(1, 200 + i, key, 400)));
  CHECK(std::filesystem::file_size(folder.data()) <= pinned + (2 << 20));
}

TEST_CASE("when the file cannot grow nothing has changed and nothing is suspect") {
  const Folder folder;
  const crypto::Key key = random_key();
  const Bytes key_bytes = base::to_bytes(key.reveal());
  REQUIRE(open_new(folder).replace_bucket(bucket_of(1, 1, key, 100)));
  const int verdict = in_child([&] {
    ::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{std::filesystem::file_size(folder.data()), RLIM_INFINITY};
    if (::setrlimit(RLIMIT_FSIZE, &limit) != 0) return 1;
    const auto child_key = crypto::Key::copy_of(ByteView(key_bytes));
    auto catalog = Catalog::open(folder.catalog());
    if (!catalog || !child_key) return 2;
    const auto grown = catalog->replace_bucket(bucket_of(2, 1, *child_key, 20'000));
    if (grown || grown.error().code == Errc::corrupt) return 3;
    return catalog->generations() ? 0 : 4;
  });
  CHECK(verdict == 0);
  Catalog catalog = open_new(folder);
  CHECK(catalog.check()->rows == 100);
  CHECK(catalog.replace_bucket(bucket_of(2, 1, key, 20'000)));
}
