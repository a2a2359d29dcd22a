// Where a vault may stand: every answer of vault.toml and of the host's label.
#include "keys/location.h"

#include "keys/support.h"
#include "os/file.h"

using namespace callvault;

TEST_CASE("a vault that is tied to places opens where both stores and the host are, and says what is wrong elsewhere") {
  const keys_test::TempFolder folder;
  keys::Location location;
  location.host_file = folder.path() / "label";
  const auto label = [&](std::string_view text) {
    REQUIRE(os::remove_file(location.host_file).has_value());
    REQUIRE(os::write_new_file(location.host_file, base::as_bytes(text)).has_value());
  };
  const auto refused = [&](const char* says, Errc code = Errc::refused) {
    const auto answer = keys::check_location(location);
    REQUIRE_FALSE(answer.has_value());
    CHECK(answer.error().code == code);
    CHECK_MESSAGE(answer.error().message.find(says) != std::string::npos, answer.error().message);
  };
  CHECK(keys::check_location(location).has_value());  // tied to none
  location.allowed = {"Cluj", "Oradea"};
  refused("is missing or empty");
  label(" \t\r\n");
  refused("is missing or empty");
  label(std::string(300, 'x'));  // longer than a label
  refused("", Errc::corrupt);
  label("  Cluj\n");
  refused("does not say where the vault is");
  location.vault = "Cluj";
  refused("does not say where the keeper is");
  location.keeper = "Sibiu";
  refused("does not allow");
  location.keeper = "Oradea";
  refused("this host is in \"Cluj\"");
  location.keeper = "Cluj";
  CHECK(keys::check_location(location).has_value());
  label("Oradea");
  refused("the vault belongs in \"Cluj\"");
}
