// What a mistake or a thief leaves must not pass for a vault in order.
#include <doctest/doctest.h>

#include <fstream>
#include <iterator>

#include "adversary/rig.h"

using namespace callvault;
using adversary::must;
using adversary::Rig;
namespace fs = std::filesystem;

TEST_CASE("an init that fails takes nothing away that was there") {
  const Rig rig;  // its keeper is a neighbour
  const fs::path keeper = rig.keeper_file().parent_path();
  std::ofstream(keeper / "note") << "somebody's";
  InitOptions options;
  options.dir = rig.folder().parent_path() / "second";
  options.keeper = keeper / "second";
  options.unsafe_keeper = true;
  options.unsafe_fast_passphrase = true;
  options.recorder_group = "no-such-group-here";
  fs::create_directories(*options.keeper);
  std::ofstream(*options.keeper / "note") << "somebody's";
  std::string word = "correct horse battery staple";
  const auto passphrase = must(Passphrase::take(std::span(word.data(), word.size())), "passphrase");
  CHECK_FALSE(Vault::create(options, passphrase));
  CHECK(fs::exists(*options.keeper / "note"));
  CHECK_FALSE(fs::exists(*options.keeper / "root"));
  CHECK_FALSE(fs::exists(options.dir));
  CHECK(fs::exists(rig.keeper_file()));
}

TEST_CASE("a journal without the tombstones of an erasure stops everything") {
  Rig rig;
  const auto id = rig.record({});
  rig.settle();
  rig.erase({id});
  const fs::path journal = rig.folder() / "journal";
  std::string entries;
  {
    std::ifstream in(journal / "entries");
    entries.assign(std::istreambuf_iterator<char>(in), {});
  }
  const auto tombstone = entries.find("\"event\":\"shredded\"");
  REQUIRE(tombstone != std::string::npos);
  entries.resize(entries.rfind('\n', tombstone) + 1);
  std::ofstream(journal / "entries", std::ios::trunc) << entries;
  for (const char* derived : {"checkpoint", "hashes", "offsets"}) fs::remove(journal / derived);
  const auto found = rig.vault().find(rig.officer(), {}, [](const CallRecord&) { return true; });
  REQUIRE_FALSE(found);
  CHECK(found.error().code == Errc::corrupt);
}
