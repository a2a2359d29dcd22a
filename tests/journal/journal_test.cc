#include "journal/journal.h"

#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <set>

#include "journal/fixture.h"
#include "os/lock.h"

namespace callvault::journal {
namespace {

TEST_CASE("what is appended is read, forwards and backwards, and proved") {
  const Fixture it;
  it.require_sound(0);
  it.append(0, 1);
  it.append(1, 36);
  it.append(37, 1);
  it.append(38, 92);
  it.require_sound(130);
  const auto log = it.open();
  for (const std::uint64_t first : {0U, 1U, 64U, 129U, 130U, 500U}) {
    std::uint64_t expected = first;
    REQUIRE(log.for_each(first, [&](std::uint64_t index, const Entry& entry) -> Result<bool> {
      CHECK(index == expected);
      CHECK(entry == entry_of(expected++));
      return true;
    }));
    CHECK(expected == std::max<std::uint64_t>(first, 130));
  }
  std::uint64_t left = 130;
  REQUIRE(log.for_each_back([&](std::uint64_t index, const Entry& entry) -> Result<bool> {
    CHECK(index == --left);
    CHECK(entry == entry_of(index));
    return left > 7;
  }));
  CHECK(left == 7);
  CHECK(log.entry(130).error().code == Errc::not_found);
  CHECK(log.head_at(131).error().code == Errc::not_found);
  CHECK(log.inclusion_proof(5, 131).error().code == Errc::not_found);
  CHECK(log.inclusion_proof(5, 5).error().code == Errc::usage);
  CHECK(log.consistency_proof(6, 5).error().code == Errc::usage);
  const auto failed = log.for_each(0, [](std::uint64_t, const Entry&) -> Result<bool> { return fail(Errc::io, "no"); });
  CHECK(failed.error().code == Errc::io);

  for (std::uint64_t size = 1; size <= 130; size += 7) {
    const auto head = log.head_at(size);
    REQUIRE(head);
    for (std::uint64_t index = 0; index < size; index += 3)
      REQUIRE(
          verify_inclusion(leaf_hash(encode(entry_of(index))), index, *head, log.inclusion_proof(index, size).value()));
    REQUIRE(verify_consistency(*head, log.head().value(), log.consistency_proof(size, 130).value()));
  }
}

TEST_CASE("large entries, across the blocks in which the file is read") {
  const Fixture it;
  auto log = it.open();
  std::vector<Entry> entries;
  for (std::size_t i = 0; i < 9; ++i) {
    Entry entry = entry_of(i);
    entry.note.assign(i % 2 == 0 ? kMaxNoteBytes : 4 * i, 'A');
    if (i == 4) entry.items.assign(kMaxItems, "0123456789012345678901234567890123456789");
    entries.push_back(std::move(entry));
  }
  REQUIRE(log.append(entries, it.seed, kPatience));
  std::size_t next = 0;
  REQUIRE(log.for_each(0, [&](std::uint64_t, const Entry& e) -> Result<bool> { return e == entries[next++]; }));
  CHECK(next == 9);
  REQUIRE(log.for_each_back([&](std::uint64_t, const Entry& e) -> Result<bool> { return e == entries[--next]; }));
  CHECK(next == 0);
  CHECK(it.verify().problems.empty());

  Entry too_long = entry_of(0);
  too_long.items.assign(kMaxItems, std::string(100, 'x'));
  CHECK(log.append(too_long, it.seed, kPatience).error().code == Errc::usage);
  CHECK(log.append(std::span<const Entry>{}, it.seed, kPatience).error().code == Errc::usage);
  CHECK(log.head()->size == 9);
}

TEST_CASE("only the journal's key signs, only an empty folder becomes a journal") {
  const Fixture it;
  auto log = it.open();
  const auto other = crypto::Key::random();
  CHECK(log.append(entry_of(0), *other, kPatience).error().code == Errc::usage);
  CHECK(Journal::create(it.folder, kOrigin, it.seed).error().code == Errc::usage);
  CHECK(Journal::create(it.temp.path / "b", "a b", it.seed).error().code == Errc::usage);
  CHECK(Journal::open(it.temp.path / "none").error().code == Errc::not_found);
  auto wrong = it.key;
  wrong[3] ^= std::byte{1};
  const auto report = log.verify(wrong);
  REQUIRE(report);
  CHECK_FALSE(report->problems.empty());
  CHECK_FALSE(report->checkpoint_ok);
}

TEST_CASE("a held lock is waited for, not for ever") {
  const Fixture it;
  const auto lock = os::Lock::acquire(it.folder / "lock", os::LockMode::exclusive, 1s);
  REQUIRE(lock);
  CHECK(it.open().append(entry_of(0), it.seed, 20ms).error().code == Errc::busy);
}

TEST_CASE("processes that append at the same time lose nothing") {
  const Fixture it;
  constexpr std::uint64_t kProcesses = 4, kEach = 25;
  std::vector<pid_t> children;
  for (std::uint64_t p = 0; p < kProcesses; ++p) {
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
      const auto seed = fixed_seed();
      auto log = Journal::open(it.folder);
      bool good = log.has_value();
      for (std::uint64_t i = 0; good && i < kEach; ++i) {
        const auto index = log->append(entries_of(p * 1000 + i * 2, 2), seed, kPatience);
        good = index && log->entry(*index) && *log->entry(*index) == entry_of(p * 1000 + i * 2) && log->head();
      }
      ::_exit(good ? 0 : 1);
    }
    children.push_back(child);
  }
  // A reader meanwhile always sees a sound prefix.
  std::uint64_t seen = 0;
  for (int round = 0; round < 20; ++round) {
    const auto report = it.verify();
    for (const std::string& problem : report.problems) FAIL_CHECK(problem);
    CHECK(report.head.size >= seen);
    CHECK(report.checkpoint_ok);
    seen = report.head.size;
    const auto head = it.open().head();
    REQUIRE_MESSAGE(head, head.error().message);
    CHECK(head->size >= seen);
  }
  for (const pid_t child : children) {
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    CHECK(status == 0);
  }
  std::set<std::string> ids;
  std::vector<std::uint64_t> last(kProcesses, 0);
  REQUIRE(it.open().for_each(0, [&](std::uint64_t, const Entry& entry) -> Result<bool> {
    const auto n = std::stoull(entry.facts.at("id").substr(1));
    CHECK(last[n / 1000] <= n);
    last[n / 1000] = n;
    ids.insert(entry.facts.at("id"));
    return true;
  }));
  CHECK(ids.size() == kProcesses * kEach * 2);
  CHECK(it.verify().derived_ok);
  CHECK(it.verify().unsigned_entries == 0);
}

TEST_CASE("a copy that may not be written to is read and verified") {
  const Fixture it;
  it.append(0, 50);
  for (const bool bare : {false, true}) {
    if (bare) {
      fs::remove(it.folder / "offsets");
      fs::remove(it.folder / "hashes");
    }
    fs::permissions(it.temp.path, fs::perms(0755));
    fs::permissions(it.folder, fs::perms(0555));
    for (const auto& file : fs::directory_iterator(it.folder)) fs::permissions(file.path(), fs::perms(0444));
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
      if (::geteuid() == 0 && ::setuid(65534) != 0) ::_exit(2);
      const auto log = Journal::open(it.folder);
      if (!log || ::access(it.folder.c_str(), W_OK) == 0) ::_exit(3);
      const auto report = log->verify(it.key);
      if (!report || !report->problems.empty() || !report->checkpoint_ok || report->derived_ok == bare) ::_exit(4);
      if (!log->head() || *log->head() != report->head || !log->entry(49) || !log->inclusion_proof(7, 50)) ::_exit(5);
      ::_exit(0);
    }
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    CHECK(WIFEXITED(status));
    CHECK(WEXITSTATUS(status) == 0);
    fs::permissions(it.folder, fs::perms(0755));
  }
}

TEST_CASE("what a process has proved it does not take for granted when the files have changed") {
  const auto appended = [](Journal& log, const Fixture& it, std::uint64_t at) {
    return log.append(entry_of(at), it.seed, kPatience);
  };
  const auto filled = [&](const Fixture& it, Journal& log) {
    for (std::uint64_t i = 0; i < 9; ++i) REQUIRE(appended(log, it, i));
    REQUIRE(log.head_at(4));
    REQUIRE(log.head_at(4));
  };
  SUBCASE("another process appends in between") {
    const Fixture it;
    Journal log = it.open();
    filled(it, log);
    const Head before = *log.head_at(4);
    it.append(9, 3);
    CHECK(log.head()->size == 12);
    CHECK(*log.head_at(4) == before);
    CHECK(*appended(log, it, 12) == 12);
    CHECK(*log.head_at(4) == before);
    it.require_sound(13);
  }
  SUBCASE("the last entry is another") {
    const Fixture it;
    Journal log = it.open();
    filled(it, log);
    std::string text = slurp(it.folder / "entries");
    text[text.size() - 3] ^= 1;
    spill(it.folder / "entries", text);
    CHECK(appended(log, it, 9).error().code == Errc::corrupt);
  }
  SUBCASE("entries were cut off") {
    const Fixture it;
    Journal log = it.open();
    filled(it, log);
    const std::string text = slurp(it.folder / "entries");
    spill(it.folder / "entries", text.substr(0, text.size() / 2));
    CHECK(appended(log, it, 9).error().code == Errc::corrupt);
    CHECK(log.head().error().code == Errc::corrupt);
  }
  SUBCASE("derived files are gone") {
    for (const char* name : {"offsets", "hashes"}) {
      const Fixture it;
      Journal log = it.open();
      filled(it, log);
      fs::remove(it.folder / name);
      CHECK(log.head()->size == 9);
      CHECK(*appended(log, it, 9) == 9);
      it.require_sound(10);
    }
  }
  SUBCASE("the checkpoint is not genuine any more, or gone") {
    for (const bool gone : {false, true}) {
      const Fixture it;
      Journal log = it.open();
      filled(it, log);
      std::string text = slurp(it.folder / "checkpoint");
      text[text.size() - 8] ^= 1;
      if (gone)
        fs::remove(it.folder / "checkpoint");
      else
        spill(it.folder / "checkpoint", text);
      CHECK(appended(log, it, 9).error().code == Errc::corrupt);
    }
  }
}

}  // namespace
}  // namespace callvault::journal
