// Tampering, crashes, and disks that fail.
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <map>
#include <random>

#include "journal/fixture.h"

namespace {
int g_failing_syncs = 0;  // how many of the next fdatasync calls fail
int g_syncs = 0;
}  // namespace

// Stands before the C library's.
extern "C" int fdatasync(int fd) {
  ++g_syncs;
  if (g_failing_syncs > 0) {
    --g_failing_syncs;
    errno = EIO;
    return -1;
  }
  return static_cast<int>(::syscall(SYS_fdatasync, fd));
}

namespace callvault::journal {
namespace {

TEST_CASE("every flipped bit of the entries is found") {
  const Fixture it;
  it.append(0, 7);
  const std::string good = slurp(it.folder / "entries");
  for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
    std::string flipped = good;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << bit % 8));
    spill(it.folder / "entries", flipped);
    const auto report = it.verify();
    REQUIRE_FALSE(report.problems.empty());
    REQUIRE_FALSE(report.checkpoint_ok);
  }
  spill(it.folder / "entries", good);
  it.require_sound(7);
}

TEST_CASE("seeded tampering is found, and never signed") {
  std::mt19937 random(11);
  const Fixture it;
  it.append(0, 20);
  std::map<fs::path, std::string> good;
  for (const auto& file : fs::directory_iterator(it.folder)) good[file.path()] = slurp(file.path());
  for (int round = 0; round < 60; ++round) {
    for (const auto& [path, bytes] : good) spill(path, bytes);
    std::string text = slurp(it.folder / "entries");
    switch (round % 4) {
      case 0:
        text.erase(0, text.find('\n') + 1);
        break;  // the first line
      case 1:
        text.erase(text.rfind('\n', text.size() - 2) + 1);
        break;  // the last
      case 2:
        text.replace(text.find("\"r1"), 4, "\"r9" + text.substr(text.find("\"r1") + 3, 1));
        break;
      default:
        text.insert(text.find('\n', random() % (text.size() / 2)) + 1, encode(entry_of(3)) + "\n");
    }
    spill(it.folder / "entries", text);
    if (random() % 2 == 0) fs::remove(it.folder / "hashes");
    CHECK_FALSE(it.verify().problems.empty());
    const auto signed_before = it.open().checkpoint_text().value();
    auto log = it.open();
    // A change far from the end shows to the appender when it is read; the signature it made before stands.
    if (log.append(entry_of(20), it.seed, kPatience))
      CHECK_FALSE(it.verify().problems.empty());
    else
      CHECK(it.open().checkpoint_text().value() == signed_before);
  }
}

TEST_CASE("a shortened journal is found by who remembers its head") {
  const Fixture it;
  it.append(0, 5);
  const std::string entries = slurp(it.folder / "entries"), offsets = slurp(it.folder / "offsets"),
                    hashes = slurp(it.folder / "hashes"), checkpoint = slurp(it.folder / "checkpoint");
  const Head five = it.open().head().value();
  it.append(5, 1);
  const Head six = it.open().head().value();
  CHECK(it.verify(five).problems.empty());
  CHECK(it.verify(six).problems.empty());
  CHECK(it.verify(Head{.size = 0, .root = empty_root()}).problems.empty());
  spill(it.folder / "entries", entries);
  CHECK_FALSE(it.verify().problems.empty());  // shorter than what was signed
  spill(it.folder / "offsets", offsets);
  spill(it.folder / "hashes", hashes);
  spill(it.folder / "checkpoint", checkpoint);
  CHECK(it.verify().problems.empty());  // nothing inside can tell
  CHECK(it.verify(five).problems.empty());
  CHECK_FALSE(it.verify(six).problems.empty());
  Head other = five;
  other.root[0] ^= std::byte{1};
  CHECK_FALSE(it.verify(other).problems.empty());
}

TEST_CASE("derived files that are missing, short, long or wrong are healed by the next append") {
  std::mt19937 random(3);
  std::uint64_t size = 40;
  const Fixture it;
  it.append(0, size);
  for (const char* name : {"offsets", "hashes"}) {
    for (int kind = 0; kind < 6; ++kind) {
      CAPTURE(name);
      CAPTURE(kind);
      const fs::path path = it.folder / name;
      std::string text = slurp(path);
      if (kind == 0) fs::remove(path);
      if (kind == 1) spill(path, "");
      if (kind == 2) spill(path, text.substr(0, text.size() / 2 + 3));
      if (kind == 3) spill(path, text + "more than there was");
      if (kind == 4) spill(path, std::string(text.size(), '\0'));
      if (kind == 5) {
        for (std::size_t i = text.size() - 20; i < text.size(); ++i) text[i] = static_cast<char>(random());
        spill(path, text);
      }
      // A reader already answers right, and writes nothing.
      const auto before = fs::exists(path) ? slurp(path) : std::string("none");
      const auto log = it.open();
      REQUIRE(log.head());
      CHECK(log.head()->size == size);
      CHECK(log.entry(size - 1).value() == entry_of(size - 1));
      CHECK(log.entry(3).value() == entry_of(3));
      const auto proof = log.inclusion_proof(3, size);
      REQUIRE(proof);
      CHECK(verify_inclusion(leaf_hash(encode(entry_of(3))), 3, *log.head(), *proof));
      CHECK((fs::exists(path) ? slurp(path) : std::string("none")) == before);
      it.append(size++, 1);
      it.require_sound(size);
    }
  }
}

TEST_CASE("without a genuine checkpoint nothing is appended until somebody who remembers signs anew") {
  std::mt19937 random(5);
  std::uint64_t size = 20;
  const Fixture it;
  const fs::path path = it.folder / "checkpoint";
  it.append(0, size);
  for (int kind = 0; kind < 7; ++kind) {
    CAPTURE(kind);
    const Head remembered = it.open().head_at(size - 2).value();
    it.append(size++, 1);
    const std::string text = slurp(path), entries = slurp(it.folder / "entries");
    std::string bad = text;
    if (kind == 0) fs::remove(path);
    if (kind == 1) bad.clear();
    if (kind == 2) bad.resize(text.size() / 2 + 3);
    if (kind == 3) bad += "more than there was";
    if (kind == 4) bad.assign(text.size(), '\0');
    if (kind == 5) bad[text.size() - 20] = bad[text.size() - 20] == 'A' ? 'B' : 'A';
    if (kind == 6) bad = make_checkpoint("example.com/other", it.open().head().value(), it.seed);
    if (kind > 0) spill(path, bad);
    auto log = it.open();
    const auto refused = [&](const Result<void>& result) {
      REQUIRE_FALSE(result);
      CHECK(result.error().code == Errc::corrupt);
      CHECK(result.error().message.find(path.string()) != std::string::npos);
      CHECK(result.error().message.find("callvault recover") != std::string::npos);
    };
    refused(log.require_checkpoint());
    const auto appended = log.append(entry_of(size), it.seed, kPatience);
    refused(appended ? Result<void>() : Result<void>(appended.error()));
    CHECK(slurp(it.folder / "entries") == entries);
    CHECK(fs::exists(path) == (kind > 0));
    // Readers go on answering right.
    CHECK(log.head()->size == size);
    CHECK(log.entry(3).value() == entry_of(3));
    CHECK(verify_inclusion(leaf_hash(encode(entry_of(3))), 3, *log.head(), log.inclusion_proof(3, size).value()));
    const auto report = it.verify(remembered);
    CHECK_FALSE(report.checkpoint_ok);
    REQUIRE(report.problems.size() == 1);
    CHECK(report.problems.front().find("callvault recover") != std::string::npos);

    // Who remembers something else, or more, does not sign.
    Head other = remembered;
    other.root[random() % 32] ^= std::byte{1};
    CHECK(log.sign_anew(entry_of(size), it.seed, other, kPatience).error().code == Errc::corrupt);
    other = {.size = size + 1, .root = remembered.root};
    CHECK(log.sign_anew(entry_of(size), it.seed, other, kPatience).error().code == Errc::corrupt);
    std::string changed = entries;
    changed[changed.find("complaint")] = 'C';
    spill(it.folder / "entries", changed);
    CHECK(log.sign_anew(entry_of(size), it.seed, remembered, kPatience).error().code == Errc::corrupt);
    spill(it.folder / "entries", entries + "not an entry\n");
    CHECK(log.sign_anew(entry_of(size), it.seed, remembered, kPatience).error().code == Errc::corrupt);
    spill(it.folder / "entries", entries);
    CHECK_FALSE(log.require_checkpoint());

    if (kind % 2 == 0) fs::remove(it.folder / "hashes");
    REQUIRE(log.sign_anew(entry_of(size), it.seed, remembered, kPatience).value() == size);
    it.require_sound(++size);
    CHECK(it.open().require_checkpoint());
  }
}

TEST_CASE("an older checkpoint of the same journal is what a crash leaves: it is brought up to date") {
  const Fixture it;
  std::uint64_t size = 0;
  for (int round = 0; round < 4; ++round) {
    const std::string old = slurp(it.folder / "checkpoint");
    it.append(size, 3);
    size += 3;
    spill(it.folder / "checkpoint", old);
    CHECK(it.open().require_checkpoint());
    CHECK(it.verify().problems.empty());
    CHECK(it.verify().unsigned_entries == 3);
    it.append(size++, 1);
    it.require_sound(size);
  }
}

TEST_CASE("a hole inside the derived files never reaches an answer") {
  const Fixture it;
  it.append(0, 100);
  for (const char* name : {"offsets", "hashes"}) {
    std::string text = slurp(it.folder / name);
    text.replace(40, 400, std::string(400, '\0'));
    spill(it.folder / name, text);
    const auto log = it.open();
    CHECK_FALSE(it.verify().derived_ok);
    CHECK(it.verify().derived_wrong == std::vector<std::string>{name});
    CHECK(it.verify().problems.empty());
    for (std::uint64_t i = 0; i < 100; ++i) {
      REQUIRE(log.entry(i).value() == entry_of(i));
      const auto head = log.head_at(i + 1);
      REQUIRE(head);
      REQUIRE(verify_inclusion(leaf_hash(encode(entry_of(i))), i, *head, log.inclusion_proof(i, i + 1).value()));
      std::uint64_t next = i;
      REQUIRE(log.for_each(
          i, [&](std::uint64_t, const Entry& e) -> Result<bool> { return e == entry_of(next++) && false; }));
      REQUIRE(next == i + 1);
    }
    REQUIRE(it.open().rebuild_derived(kPatience));
    it.require_sound(100);
  }
}

TEST_CASE("a torn tail is cut by the next append, whatever it holds") {
  for (const std::string& tail :
       {std::string("{"), encode(entry_of(9)), std::string(5000, '\0'), std::string("\xff\xfe"),
        std::string(70'000, 'x'),
        encode(entry_of(9)).substr(0, 30) + std::string(4096, '\0') + "tail\"}\n" + encode(entry_of(9)) + "\n"}) {
    const Fixture it;
    it.append(0, 9);
    std::string text = slurp(it.folder / "entries");
    spill(it.folder / "entries", text + tail);
    const auto report = it.verify();
    CHECK(report.problems.empty());
    CHECK(report.torn_bytes == tail.size());
    CHECK(report.head.size == 9);
    CHECK(it.open().head()->size == 9);
    it.append(9, 2);
    it.require_sound(11);
  }
}

TEST_CASE("complete lines that no checkpoint covers are kept, and taken for entries only when they are") {
  const Fixture it;
  it.append(0, 9);
  const std::string text = slurp(it.folder / "entries");
  spill(it.folder / "entries", text + encode(entry_of(9)) + "\n" + encode(entry_of(10)) + "\n");
  CHECK(it.verify().unsigned_entries == 2);
  CHECK(it.verify().problems.empty());
  CHECK(it.open().head()->size == 11);
  CHECK(it.open().entry(10).value() == entry_of(10));
  it.append(11, 1);
  it.require_sound(12);

  const std::string more = slurp(it.folder / "entries");
  spill(it.folder / "entries", more + "not an entry\n");
  CHECK_FALSE(it.verify().problems.empty());
  auto log = it.open();
  CHECK(log.append(entry_of(12), it.seed, kPatience).error().code == Errc::corrupt);
  CHECK(slurp(it.folder / "entries") == more + "not an entry\n");
  spill(it.folder / "entries", more + std::string(kMaxLineBytes + 1, 'x') + "\n");
  CHECK(log.append(entry_of(12), it.seed, kPatience).error().code == Errc::corrupt);
  CHECK_FALSE(it.verify().problems.empty());
  spill(it.folder / "entries", more + "{\"v\":3}\n");
  CHECK(log.append(entry_of(12), it.seed, kPatience).error().code == Errc::newer_version);
}

TEST_CASE("one append is one sync; a failed one is never believed again") {
  const Fixture it;
  it.append(0, 3);
  auto log = it.open();
  g_syncs = 0;
  REQUIRE(log.append(entry_of(3), it.seed, kPatience));
  CHECK(g_syncs == 1);

  const std::string before = slurp(it.folder / "entries");
  const auto file_of = [&] {
    struct Probe {
      os::File file;
      bool same_as(const fs::path& path) const {
        return fs::equivalent("/proc/self/fd/" + std::to_string(file.fd()), path);
      }
    };
    return Probe{os::File::open_read(it.folder / "entries").value()};
  };
  const auto old_file = file_of();
  g_failing_syncs = 1;
  const auto failed = log.append(entries_of(4, 2), it.seed, kPatience);
  REQUIRE_FALSE(failed);
  CHECK(failed.error().code == Errc::io);
  CHECK(fs::exists(it.folder / "suspect"));
  CHECK(slurp(it.folder / "entries") == before);  // none of them is visible
  CHECK(it.open().head()->size == 4);
  CHECK(old_file.same_as(it.folder / "entries"));

  it.append(4, 2);  // by another process
  CHECK_FALSE(fs::exists(it.folder / "suspect"));
  CHECK_FALSE(fs::exists(it.folder / "entries.new"));
  CHECK_FALSE(old_file.same_as(it.folder / "entries"));
  it.require_sound(6);
  REQUIRE(log.append(entry_of(6), it.seed, kPatience).value() == 6);
  it.require_sound(7);
}

TEST_CASE("a file that may not grow gives an error and loses nothing") {
  const Fixture it;
  it.append(0, 30);
  const auto size = fs::file_size(it.folder / "entries");
  rlimit old{};
  REQUIRE(::getrlimit(RLIMIT_FSIZE, &old) == 0);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit tight{size + 50, old.rlim_max};
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &tight) == 0);
  auto log = it.open();
  const auto failed = log.append(entries_of(30, 5), it.seed, kPatience);
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &old) == 0);
  std::signal(SIGXFSZ, handler);
  REQUIRE_FALSE(failed);
  CHECK(fs::file_size(it.folder / "entries") == size);
  it.require_sound(30);
  it.append(30, 5);
  it.require_sound(35);
}

TEST_CASE("damaged origin and key files are refused") {
  const Fixture it;
  const std::string origin = slurp(it.folder / "origin"), key = slurp(it.folder / "key.pub");
  for (const char* bad : {"", "x", "other.example/x\n", "example.com/vault-7\n\n"}) {
    spill(it.folder / "origin", bad);
    CHECK(Journal::open(it.folder).error().code == Errc::corrupt);
  }
  spill(it.folder / "origin", origin);
  spill(it.folder / "key.pub", key + "x");
  CHECK(Journal::open(it.folder).error().code == Errc::corrupt);
  spill(it.folder / "key.pub", key);
  CHECK(Journal::open(it.folder));
  fs::remove(it.folder / "entries");
  CHECK(Journal::open(it.folder).error().code == Errc::not_found);
}

}  // namespace
}  // namespace callvault::journal
