// A recorder does not wait for whoever settles.
#include <doctest/doctest.h>

#include "adversary/rig.h"
#include "capture/incoming.h"
#include "capture/registration.h"
#include "keys/file_keeper.h"

using namespace callvault;
using adversary::must;
using adversary::Rig;

TEST_CASE("a call whose recorder ends between the listing and the reading keeps its intake key or is registered") {
  Rig rig;
  const auto id = rig.record({});
  const auto finished = rig.folder() / "incoming" / (id.text() + ".mixed");
  const auto growing = rig.folder() / "incoming" / (id.text() + ".mixed.part");
  REQUIRE(std::filesystem::exists(finished));
  std::filesystem::rename(finished, growing);
  auto recorder = must(os::File::open_write(growing), "part");
  REQUIRE(must(recorder.try_lock_exclusive(), "lock"));

  auto vault = rig.parts(must(keys::FileKeeper::open(rig.keeper_file().parent_path()), "keeper"));
  const auto session = must(Session::begin(vault, Access::change, ""), "session");
  auto calls = must(capture::list_incoming(vault.layout), "list");
  REQUIRE(calls.size() == 1);
  CHECK(calls[0].alive());
  std::filesystem::rename(growing, finished);
  const auto registration = must(capture::read_registration(session->context(), calls[0], std::nullopt), "read");
  CHECK(registration.row.tracks.size() == 1);
  CHECK(registration.row.in_progress);
  CHECK(capture::intake_of(session->context(), calls[0]).size() == 1);
  // Gone altogether: nobody knows what its header named, so every key is kept.
  std::filesystem::rename(finished, rig.folder() / "elsewhere");
  CHECK(capture::intake_of(session->context(), calls[0]).size() == session->directory().intake.size());
}

TEST_CASE("nobody replaces the catalogue while another process settles by it") {
  Rig rig;
  const auto id = rig.record({});
  rig.settle();
  auto vault = rig.parts(must(keys::FileKeeper::open(rig.keeper_file().parent_path()), "keeper"));
  auto session = must(Session::begin(vault, Access::change, ""), "session");
  OpenOptions options;
  options.dir = rig.folder();
  options.lock_timeout = std::chrono::seconds(0);
  {
    auto other = must(Vault::open(options), "open");
    const auto rebuilt = other.reindex();
    REQUIRE_FALSE(rebuilt);
    CHECK(rebuilt.error().code == Errc::busy);
  }
  CHECK(must(session->context().catalog.get(id), "get"));
  // Nor one that is called damaged, until it can be alone.
  const auto suspect = rig.folder() / "catalog" / "suspect";
  must(os::write_new_file(suspect, {}), "suspect");
  const auto opened = Vault::open(options);
  REQUIRE_FALSE(opened);
  CHECK(opened.error().code == Errc::busy);
  CHECK(os::exists(suspect));
  session.reset();
  auto alone = must(Vault::open(options), "open");
  CHECK_FALSE(os::exists(suspect));
  CHECK(must(alone.check({}), "check").problems.empty());
}
