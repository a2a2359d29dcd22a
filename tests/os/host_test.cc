#include "os/host.h"

#include <doctest/doctest.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstdlib>

#include "os/mounted.h"

namespace {

using namespace callvault;
using os::Path;
using tests::TemporaryFolder;

}  // namespace

TEST_CASE("the facts of the host are those of this process") {
  const auto facts = os::examine_host();
  rlimit core{}, locked{};
  REQUIRE(::getrlimit(RLIMIT_CORE, &core) == 0);
  REQUIRE(::getrlimit(RLIMIT_MEMLOCK, &locked) == 0);
  CHECK(facts.core_limit == (core.rlim_cur == RLIM_INFINITY ? ~std::uint64_t{0} : core.rlim_cur));
  CHECK(facts.locked_memory_limit == (locked.rlim_cur == RLIM_INFINITY ? ~std::uint64_t{0} : locked.rlim_cur));
  REQUIRE(facts.dumpable.has_value());
  const int before = ::prctl(PR_GET_DUMPABLE, 0, 0, 0, 0);
  CHECK(*facts.dumpable == (before != 0));
  REQUIRE(::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0);
  CHECK_FALSE(os::examine_host().dumpable.value_or(true));
  REQUIRE(::prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) == 0);
  CHECK(os::examine_host().dumpable.value_or(false));
  REQUIRE(::prctl(PR_SET_DUMPABLE, before == 1 ? 1 : 0, 0, 0, 0) == 0);
}

TEST_CASE("swap areas are listed with what protects them") {
  CHECK(os::parse_swaps("").empty());
  CHECK(os::parse_swaps("Filename Type Size Used Priority\n").empty());
  TemporaryFolder folder;
  const Path file = folder.path / "swap file";
  REQUIRE(os::write_new_file(file, {}).has_value());
  std::string escaped = file.string();
  escaped.replace(escaped.find(' '), 1, "\\040");
  const auto swaps = os::parse_swaps("Filename Type Size Used Priority\n" + escaped +
                                     "\tfile\t1048572\t0\t-2\n/dev/no-such-device\tpartition\t1\t0\t-3\n");
  REQUIRE(swaps.size() == 2);
  CHECK(swaps[0].name == file.string());
  CHECK(swaps[0].protection != os::SwapProtection::memory);
  CHECK(swaps[1].protection == os::SwapProtection::unknown);
}

TEST_CASE("permissions that let others in are found") {
  TemporaryFolder folder;
  const Path tight = folder.path / "tight", read = folder.path / "read", write = folder.path / "write";
  for (const Path& path : {tight, read, write}) REQUIRE(os::write_new_file(path, {}).has_value());
  REQUIRE(::chmod(read.c_str(), 0640) == 0);
  REQUIRE(::chmod(write.c_str(), 0602) == 0);
  const std::array paths = {tight, read, write, folder.path / "missing"};
  const auto loose = os::loose_paths(paths);
  REQUIRE(loose.size() == 2);
  CHECK(loose[0].path == read);
  CHECK(loose[0].others_read);
  CHECK_FALSE(loose[0].others_write);
  CHECK(loose[1].path == write);
  CHECK(loose[1].others_write);
  CHECK(loose[1].mode == 0602);
}

TEST_CASE("inside is decided after links are resolved") {
  TemporaryFolder folder;
  const Path vault = folder.path / "vault";
  REQUIRE(os::make_folder(vault).has_value());
  CHECK(os::is_inside(vault, vault));
  CHECK(os::is_inside(vault / "keeper", vault));
  CHECK(os::is_inside(vault / "", vault));
  CHECK(os::is_inside(vault / "a" / ".." / "b", vault / ""));
  CHECK_FALSE(os::is_inside(folder.path / "vault.keeper", vault));
  CHECK_FALSE(os::is_inside(folder.path, vault));
  CHECK_FALSE(os::is_inside(vault / ".." / "x", vault));
  CHECK(os::is_inside(vault, "/"));
  REQUIRE(::symlink(vault.c_str(), (folder.path / "link").c_str()) == 0);
  CHECK(os::is_inside(folder.path / "link" / "keeper", vault));
  CHECK(os::is_inside(vault / "keeper", folder.path / "link"));
}
