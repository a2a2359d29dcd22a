// Shares of the review keys: printable, checked, and strict about everything but what typing does.
#include "keys/review_share.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "keys/support.h"

namespace {

using namespace callvault;

constexpr std::string_view kFrozen =
    "callvault review share v1\n"
    "vault callvault/0011223344556677\n"
    "split 0808080808080808\n"
    "share 2 of 5, 3 needed\n"
    "key 1 0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c\n"
    "secret a7a7 a7a7 a7a7 a7a7 a7a7 a7a7 a7a7 a7a7 a7a7 a7a7 a7a7 a7a7 a7a7 a7a7 a7a7 a7a7\n"
    "key 3 0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d\n"
    "secret b6b6 b6b6 b6b6 b6b6 b6b6 b6b6 b6b6 b6b6 b6b6 b6b6 b6b6 b6b6 b6b6 b6b6 b6b6 b6b6\n"
    "check ";

keys::ReviewShare sample_share() {
  keys::ReviewShare out{"callvault/0011223344556677", keys_test::filled<std::array<std::byte, 8>>(8), 2, 5, 3, {}};
  out.parts.push_back({1, keys_test::filled<crypto::PublicKey>(0x0c), keys_test::fixed_key(0xa7)});
  out.parts.push_back({3, keys_test::filled<crypto::PublicKey>(0x0d), keys_test::fixed_key(0xb6)});
  return out;
}

std::string share_text() {
  const auto text = keys::encode_share(sample_share());
  REQUIRE(text.has_value());
  return std::string(base::as_text(text->reveal()));
}

TEST_CASE("a share is written as documented, and read again") {
  const std::string text = share_text();
  CHECK(text.starts_with(kFrozen));
  const auto read = keys::decode_share(base::as_bytes(text));
  REQUIRE(read.has_value());
  CHECK(read->vault == "callvault/0011223344556677");
  CHECK(read->of == 5);
  CHECK(read->need == 3);
  CHECK(read->number == 2);
  REQUIRE(read->parts.size() == 2);
  CHECK(read->parts[1].key_number == 3);
  CHECK(read->parts[1].public_key == keys_test::filled<crypto::PublicKey>(0x0d));
  CHECK(std::ranges::equal(read->parts[0].part.reveal(), keys_test::fixed_key(0xa7).reveal()));
  CHECK(std::ranges::equal(read->parts[1].part.reveal(), keys_test::fixed_key(0xb6).reveal()));
}

TEST_CASE("what typing does to blanks and capitals is forgiven") {
  std::string text = share_text();
  for (std::size_t at = 0; (at = text.find("a7a7 ", at)) != std::string::npos; at += 8) text.replace(at, 5, "A7 a7   ");
  for (std::size_t at = 0; (at = text.find('\n', at)) != std::string::npos; at += 5) text.replace(at, 1, " \r\n\n  ");
  CHECK(keys::decode_share(base::as_bytes(text)).has_value());
}

TEST_CASE("every other letter is damage, or a newer version, and no truncation passes") {
  const std::string text = share_text();
  for (std::size_t i = 0; i < text.size(); ++i) {
    for (const char c : {'0', '7', 'x', '\n', '\0'}) {
      if (text[i] == c || text[i] == ' ' || text[i] == '\n') continue;
      std::string other = text;
      other[i] = c;
      const auto read = keys::decode_share(base::as_bytes(other));
      REQUIRE_FALSE(read.has_value());
      CHECK((read.error().code == Errc::corrupt || read.error().code == Errc::newer_version));
    }
    if (i + 1 < text.size()) CHECK_FALSE(keys::decode_share(base::as_bytes(text.substr(0, i))).has_value());
  }
  const auto replaced = [&](const std::string& old, const std::string& fresh) {
    std::string other = text;
    const auto at = other.find(old);
    REQUIRE_MESSAGE(at != std::string::npos, old);
    other.replace(at, old.size(), fresh);
    const auto read = keys::decode_share(base::as_bytes(other));
    REQUIRE_FALSE(read.has_value());
    return read.error().message;
  };
  CHECK(replaced("v1\n", "v1 of mine\n").find("first line") != std::string::npos);
  CHECK(replaced("\nshare", "00\nshare").find("a line is another") != std::string::npos);  // a longer split
  const std::string key = text.substr(text.find("\nkey "), text.find("\nsecret") - text.find("\nkey "));
  CHECK(replaced(key, key + "00").find("public key") != std::string::npos);
  CHECK(replaced(key, key.substr(0, key.rfind(' '))).find("a line is another") != std::string::npos);
  std::string newer = text;
  newer.replace(newer.find("v1"), 2, "v2");
  CHECK(keys::decode_share(base::as_bytes(newer)).error().code == Errc::newer_version);
  CHECK_FALSE(keys::decode_share(base::as_bytes(text + std::string(keys::kMaxShareBytes, ' '))).has_value());
}

}  // namespace
