// vault.toml: what is written is read again, and what is wrong is named.
#include "keys/config.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <fstream>
#include <random>

#include "keys/recorder_view.h"
#include "keys/support.h"

namespace {

using namespace callvault;
using keys::Config;

Config sample() {
  Config config;
  config.organisation = "SC Exemplu \"Ana \\ Ion\" S.R.L. \xc8\x99i fiii\n\t'\xe2\x98\x8e'";
  config.time_zone = "Europe/Bucharest";
  config.country_code = "40";
  config.keeper = os::Path("/srv/keeper of \"ours\"");
  config.classes = {{"default", Period{6, 0}}, {"a-1", Period{0, 30}}, {"vanzari", Period{12, 0}}};
  config.pending_grace = std::chrono::hours(36);
  config.implied_consent = keys::ImpliedConsent::heard;
  return config;
}

const std::string kHead =
    "[vault]\nversion = 1\norganisation = \"x\"\ntime_zone = \"Europe/Bucharest\"\ncountry_code = \"40\"\n";
const std::string kClasses = "[retention]\ndefault = \"6mo\"\n";

Error error_of(const std::string& text) {
  const auto config = keys::parse_config(text);
  REQUIRE_MESSAGE(!config.has_value(), text);
  CHECK(config.error().message.find_first_of("\n\x1b") == std::string::npos);
  return config.error();
}

bool corrupt_naming(const std::string& text, std::string_view what) {
  const Error error = error_of(text);
  CAPTURE(error.message);
  return error.code == Errc::corrupt && error.message.find(what) != std::string::npos;
}

TEST_CASE("what is written is read again, quotes, lines and foreign letters too") {
  const Config in = sample();
  const std::string text = keys::write_config(in);
  const auto out = keys::parse_config(text);
  REQUIRE(out.has_value());
  CHECK(out->organisation == in.organisation);
  CHECK(out->time_zone == in.time_zone);
  CHECK(out->country_code == in.country_code);
  REQUIRE(out->keeper.has_value());
  CHECK(*out->keeper == *in.keeper);
  REQUIRE(out->classes.size() == 3);
  CHECK(out->classes.front().name == "default");
  for (const auto& c : in.classes) {
    const auto period = out->period_of(c.name);
    REQUIRE(period.has_value());
    CHECK(*period == c.period);
  }
  CHECK(out->pending_grace == in.pending_grace);
  CHECK(out->implied_consent == in.implied_consent);
  CHECK(keys::write_config(*out) == text);
}

TEST_CASE("every control character and every kind of text in a name survives") {
  for (int c = 1; c < 128; ++c) {
    Config in = sample();
    in.organisation = std::string("a") + static_cast<char>(c) + "b";
    const auto out = keys::parse_config(keys::write_config(in));
    REQUIRE_MESSAGE(out.has_value(), c);
    CHECK(out->organisation == in.organisation);
  }
  for (const std::string name : {"", "'", "\"\"\"", "'''", "[vault]", "# no comment", "\\u0041", "\r\n", "a\n\n\"\"\"b",
                                 "\xf0\x9f\x93\x9e \xe7\x94\xb5\xe8\xaf\x9d", "\xef\xbb\xbf"}) {
    Config in = sample();
    in.organisation = name;
    const auto out = keys::parse_config(keys::write_config(in));
    REQUIRE_MESSAGE(out.has_value(), name);
    CHECK(out->organisation == name);
  }
}

TEST_CASE("whose consent a copy needs is all parties' unless the vault says otherwise") {
  const auto consent = [](const std::string& line) {
    const auto config = keys::parse_config(kHead + kClasses + line);
    REQUIRE(config);
    return config->copy_consent;
  };
  CHECK(consent("") == keys::CopyConsent::all_parties);
  CHECK(consent("[policy]\ncopy_consent = \"all_parties\"\n") == keys::CopyConsent::all_parties);
  CHECK(consent("[policy]\ncopy_consent = \"requester\"\n") == keys::CopyConsent::requester);
  CHECK(corrupt_naming(kHead + kClasses + "[policy]\ncopy_consent = \"nobody\"\n", "policy.copy_consent"));
  CHECK(corrupt_naming(kHead + kClasses + "[policy]\ncopy_consent = 1\n", "policy.copy_consent"));
}

TEST_CASE("without keeper and policy the defaults hold") {
  const auto config = keys::parse_config(kHead + kClasses);
  REQUIRE(config.has_value());
  CHECK(!config->keeper.has_value());
  CHECK(config->pending_grace == std::chrono::hours(24));
  CHECK(config->implied_consent == keys::ImpliedConsent::announced);
}

TEST_CASE("an unknown class is refused by name") {
  const auto config = keys::parse_config(kHead + kClasses);
  REQUIRE(config.has_value());
  const auto period = config->period_of("vip");
  REQUIRE(!period.has_value());
  CHECK(period.error().code == Errc::refused);
  CHECK(period.error().message.find("vip") != std::string::npos);
}

TEST_CASE("what is missing or of the wrong kind is named") {
  for (const std::string key : {"organisation", "time_zone", "country_code"}) {
    std::string text = kHead + kClasses;
    const auto at = text.find(key);
    CHECK(corrupt_naming(text.substr(0, at) + "x" + text.substr(at), "vault." + key));
    const auto value = text.find('"', at);
    CHECK(corrupt_naming(text.substr(0, value) + "7" + text.substr(text.find('\n', at)), "vault." + key));
  }
  CHECK(corrupt_naming("", "vault.version"));
  CHECK(corrupt_naming("vault = 3\n" + kClasses, "vault.version"));
  CHECK(corrupt_naming("[vault]\nversion = \"1\"\n", "vault.version"));
  CHECK(corrupt_naming("[vault]\nversion = 0\n", "vault.version"));
  CHECK(corrupt_naming("[vault]\nversion = -1\n", "vault.version"));
  CHECK(corrupt_naming("[vault]\nversion = true\n", "vault.version"));
  CHECK(corrupt_naming(kHead, "[retention]"));
  CHECK(corrupt_naming("retention = 5\n" + kHead, "[retention]"));
  CHECK(corrupt_naming(kHead + "[retention]\n", "retention.default"));
  CHECK(corrupt_naming(kHead + "[retention]\nvip = \"6mo\"\n", "retention.default"));
  CHECK(corrupt_naming(kHead + "[retention]\ndefault = 6\n", "retention.default"));
  CHECK(corrupt_naming(kHead + "[retention]\ndefault = \"6 moons\"\n", "retention.default"));
  CHECK(corrupt_naming(kHead + "[retention]\ndefault = \"0d\"\n", "retention.default"));
  CHECK(corrupt_naming(kHead + "keeper = 5\n" + kClasses, "vault.keeper"));
  CHECK(corrupt_naming(kHead + "keeper = \"\"\n" + kClasses, "vault.keeper"));
  for (const std::string grace : {"-1", "8761", "\"24\"", "1.5", "true"})
    CHECK(corrupt_naming(kHead + kClasses + "[policy]\npending_grace_hours = " + grace + "\n", "pending_grace_hours"));
  for (const std::string word : {"\"sometimes\"", "\"\"", "1", "true"})
    CHECK(corrupt_naming(kHead + kClasses + "[policy]\nimplied_consent = " + word + "\n", "implied_consent"));
}

TEST_CASE("who may use the keeper's service is read whole, or named as damage") {
  const std::string head = kHead + kClasses;
  const auto out = keys::parse_config(head +
                                      "[service]\nsocket = \"/run/x.sock\"\nmay_record = [\"pbx\", \"61005\"]\n"
                                      "openings_per_minute = 3\n[service.people]\nana = \"ana-login\"\n");
  REQUIRE(out.has_value());
  CHECK(out->service.socket == os::Path("/run/x.sock"));
  CHECK(out->service.may_record == std::vector<std::string>{"pbx", "61005"});
  CHECK(out->service.people.at("ana") == "ana-login");
  CHECK(out->service.openings_per_minute == 3);
  CHECK(out->service.listings_per_minute == 60);
  CHECK(keys::parse_config(head)->service.people.empty());
  CHECK(corrupt_naming("service = 1\n" + head, "service"));
  CHECK(corrupt_naming(head + "[service]\nsocket = \"relative\"\n", "service.socket"));
  CHECK(corrupt_naming(head + "[service]\nmay_record = \"pbx\"\n", "service.may_record"));
  CHECK(corrupt_naming(head + "[service]\nmay_record = [3]\n", "service.may_record"));
  for (const std::string rate : {"0", "-1", "100001", "\"3\"", "2.5"})
    CHECK(corrupt_naming(head + "[service]\nopenings_per_minute = " + rate + "\n", "service.openings_per_minute"));
  CHECK(corrupt_naming(head + "[service]\npeople = [\"ana\"]\n", "service.people"));
  CHECK(corrupt_naming(head + "[service.people]\nana = 5\n", "service.people.ana"));
  CHECK(corrupt_naming(head + "[service.people]\nana = \"\"\n", "service.people.ana"));
  CHECK(corrupt_naming(head + "[service.people]\n\"../x\" = \"a\"\n", "service.people"));
}

TEST_CASE("hostile class names are refused and not repeated") {
  for (const std::string name :
       {"\"\"", "\"A\"", "\"a b\"", "\"../x\"", "\".\"", "\"a.b\"", "\"a_b\"", "\"a/b\"", "\"a\\nb\"", "\"\\u001b[2J\"",
        "\"a\\u0000\"", "\"\xc8\x99\"", "\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\""})
    CHECK(corrupt_naming(kHead + kClasses + name + " = \"6mo\"\n", "retention class"));
}

TEST_CASE("a later version is its own answer") {
  for (const std::string version : {"2", "9223372036854775807"}) {
    const Error error = error_of("[vault]\nversion = " + version + "\nwhatever = [1, 2]\n");
    CHECK(error.code == Errc::newer_version);
  }
}

TEST_CASE("what is no TOML is corrupt, with the place") {
  for (const std::string text :
       {"[vault", "[vault]\nversion = \n", "a = 1\na = 2\n", "\xff\xfe", "x = \"unended\n", "[vault]\n[vault]\n"})
    CHECK(corrupt_naming(text, "not valid TOML"));
  CHECK(corrupt_naming("x = " + std::string(100'000, '['), "not valid TOML"));
  const std::string with_zero("x = \"a\0b\"\n", 10);
  CHECK(corrupt_naming(with_zero, "not valid TOML"));
}

TEST_CASE("no flipped bit and no truncation crashes") {
  const std::string good = keys::write_config(sample());
  for (std::size_t size = 0; size < good.size(); ++size) (void)keys::parse_config(good.substr(0, size)).has_value();
  for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
    std::string bad = good;
    bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ (1 << (bit % 8)));
    if (const auto config = keys::parse_config(bad)) REQUIRE(config->period_of("default").has_value());
  }
}

TEST_CASE("reading: no vault, too large, damaged") {
  const keys_test::TempFolder folder;
  const auto path = folder.path() / "vault.toml";
  auto config = keys::read_config(path);
  REQUIRE(!config.has_value());
  CHECK(config.error().code == Errc::no_vault);
  std::ofstream(path) << keys::write_config(sample());
  CHECK(keys::read_config(path).has_value());
  std::ofstream(path, std::ios::app) << "#" << std::string(256 * 1024, 'x') << "\n";
  config = keys::read_config(path);
  REQUIRE(!config.has_value());
  CHECK(config.error().code == Errc::corrupt);
}

TEST_CASE("the review key's public half: one spelling, no flipped bit passes") {
  const keys::ReviewPublic in{4'000'000'000U, keys_test::filled<crypto::PublicKey>(0xd3)};
  const std::string text = keys::encode_review_public(in);
  const auto out = keys::decode_review_public(text);
  REQUIRE(out.has_value());
  CHECK(out->number == in.number);
  CHECK(out->key == in.key);
  for (std::size_t size = 0; size < text.size(); ++size)
    REQUIRE(!keys::decode_review_public(text.substr(0, size)).has_value());
  for (std::size_t bit = 0; bit < text.size() * 8; ++bit) {
    std::string bad = text;
    bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ (1 << (bit % 8)));
    const auto decoded = keys::decode_review_public(bad);
    REQUIRE_MESSAGE(!decoded.has_value(), bad);
    REQUIRE((decoded.error().code == Errc::corrupt || decoded.error().code == Errc::newer_version));
  }
  for (const std::string& bad : {text + "x", " " + text, text + "\n", std::string("callvault review key v1 1 \n")})
    CHECK(!keys::decode_review_public(bad).has_value());
  const auto later = keys::decode_review_public("callvault review key v2 something else\n");
  REQUIRE(!later.has_value());
  CHECK(later.error().code == Errc::newer_version);
}

TEST_CASE("a recorder's view needs vault.toml and review.pub, and nothing else") {
  const keys_test::TempFolder folder;
  const base::Layout layout{folder.path()};
  std::filesystem::create_directories(layout.intake());
  std::filesystem::create_directories(layout.incoming());
  const auto code = [&] {
    const auto view = keys::RecorderView::open(folder.path());
    return view ? Errc::unexpected : view.error().code;
  };
  CHECK(code() == Errc::no_vault);
  std::ofstream(layout.config()) << keys::write_config(sample());
  CHECK(code() == Errc::not_found);
  std::ofstream(layout.review_public()) << "nonsense";
  CHECK(code() == Errc::corrupt);
  std::ofstream(layout.review_public()) << keys::encode_review_public({1, keys_test::filled<crypto::PublicKey>(3)});
  const auto view = keys::RecorderView::open(folder.path());
  REQUIRE(view.has_value());
  CHECK(view->review().number == 1);
  CHECK(view->file_mode() == 0600);
  std::filesystem::permissions(layout.incoming(), std::filesystem::perms(03770));
  CHECK(keys::RecorderView::open(folder.path())->file_mode() == 0660);
}

TEST_CASE("places and the clock of breaches are read, and what is wrong with them is named") {
  const auto config = keys::parse_config(kHead + kClasses +
                                         "[policy]\nbreach_notice_hours = 24\nbreach_retention = \"1y\"\n"
                                         "[location]\nvault = \"RO\"\nkeeper = \"DE\"\nallowed = [\"RO\", \"DE\"]\n");
  REQUIRE(config.has_value());
  CHECK(config->breach_notice == std::chrono::hours(24));
  CHECK(config->breach_retention == Period{12, 0});
  CHECK(config->location.allowed == std::vector<std::string>{"RO", "DE"});
  CHECK(config->location.keeper == "DE");
  CHECK(keys::parse_config(kHead + kClasses).value().breach_notice == std::chrono::hours(72));
  CHECK(corrupt_naming(kHead + kClasses + "[policy]\nbreach_notice_hours = 0\n", "policy.breach_notice_hours"));
  CHECK(corrupt_naming(kHead + kClasses + "[policy]\nbreach_retention = 1\n", "policy.breach_retention"));
  CHECK(corrupt_naming(kHead + kClasses + "[location]\nallowed = []\n", "location.allowed"));
  CHECK(corrupt_naming(kHead + kClasses + "[location]\nallowed = [1]\n", "location.allowed"));
  CHECK(corrupt_naming(kHead + kClasses + "[location]\nvault = 7\n", "location.vault"));
}

}  // namespace
