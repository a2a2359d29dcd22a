// A copy of the journal: grown, never shortened, and never taken for another's.
#include "os/copy.h"
#include "journal/fixture.h"

namespace callvault::journal {
namespace {

std::uint64_t sound_size(const fs::path& folder) {
  const auto copy = Journal::open(folder);
  REQUIRE(copy);
  const auto report = copy->verify(copy->public_key());
  REQUIRE(report);
  CHECK(report->problems.empty());
  CHECK(report->torn_bytes == 0);
  return report->head.size;
}

TEST_CASE("a copy follows the journal, whatever an interrupted one left") {
  const Fixture it;
  const TempFolder to;
  const fs::path folder = to.path / "journal";
  it.append(0, 5);
  CHECK(it.open().copy_to(folder, 5).value() == 5);
  CHECK(sound_size(folder) == 5);
  it.append(5, 40);
  {
    std::ofstream torn(folder / "entries", std::ios::app);
    torn << R"({"at":"2026)";
  }
  CHECK(it.open().copy_to(folder, 0).value() == 45);
  CHECK(sound_size(folder) == 45);
  // Nothing new: nothing changes. A failed sync, or damage: it is made anew.
  CHECK(it.open().copy_to(folder, 0).value() == 45);
  for (const bool damaged : {false, true}) {
    if (damaged) {
      std::fstream file(folder / "entries", std::ios::in | std::ios::out);
      file.seekp(30);
      file << 'x';
    } else {
      std::ofstream(folder / "suspect").close();
    }
    CHECK(it.open().copy_to(folder, 0).value() == 45);
    CHECK(sound_size(folder) == 45);
    CHECK_FALSE(fs::exists(folder / "suspect"));
  }
  CHECK(it.open().copy_to(folder, 46).error().code == Errc::corrupt);
}

TEST_CASE("a copy that knows more is left alone: the journal was rolled back") {
  const Fixture it;
  const TempFolder to;
  it.append(0, 5);
  const fs::path old = to.path / "old";
  REQUIRE(it.open().copy_to(old, 0));
  it.append(5, 5);
  const fs::path folder = to.path / "journal";
  REQUIRE(it.open().copy_to(folder, 0));
  const auto rolled_back = Journal::open(old);
  REQUIRE(rolled_back);
  const auto refused = rolled_back->copy_to(folder, 0);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == Errc::corrupt);
  CHECK(refused.error().message.find("rolled back") != std::string::npos);
  CHECK(sound_size(folder) == 10);
  // Another one under the same key is no continuation either.
  auto entries = entries_of(100, 10);
  const auto seed = fixed_seed();
  auto other = Journal::open(old);
  REQUIRE(other);
  REQUIRE(other->append(entries, seed, kPatience));
  CHECK(other->copy_to(folder, 0).error().code == Errc::corrupt);
  CHECK(sound_size(folder) == 10);
}

}  // namespace
}  // namespace callvault::journal
