// The published vectors of HKDF, HMAC, scrypt and X25519.
#include "crypto/kdf.h"

#include <doctest/doctest.h>

#include "base/text.h"

using namespace callvault;
using base::to_hex;

namespace {

base::Bytes hex(std::string_view text) { return base::from_hex(text).value(); }
crypto::Key key_of(std::string_view text) { return crypto::Key::copy_of(base::ByteView(hex(text))).value(); }

}  // namespace

TEST_CASE("HKDF-SHA-256: the first 32 bytes of RFC 5869, test cases 1 and 3") {
  const auto secret = hex("0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b");
  const auto info = hex("f0f1f2f3f4f5f6f7f8f9");
  const auto one = crypto::hkdf_sha256(secret, hex("000102030405060708090a0b0c"), base::as_text(info));
  REQUIRE(one);
  CHECK(to_hex(one->reveal()) == "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf");
  const auto three = crypto::hkdf_sha256(secret, {}, "");
  REQUIRE(three);
  CHECK(to_hex(three->reveal()) == "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d");
}

TEST_CASE("HMAC-SHA-256: RFC 4231, test case 1, its key filled with zeros to 32 bytes, which HMAC does itself") {
  const auto key = key_of("0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b000000000000000000000000");
  CHECK(to_hex(crypto::hmac_sha256(key, base::as_bytes("Hi There"))) ==
        "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
}

TEST_CASE("scrypt: the beginning of RFC 7914's vector with r = 8 and p = 1") {
  const auto key = crypto::scrypt_key(base::as_bytes("pleaseletmein"), base::as_bytes("SodiumChloride"), 14);
  REQUIRE(key);
  CHECK(to_hex(key->reveal()) == "7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2");
  CHECK_FALSE(crypto::scrypt_key(base::as_bytes("x"), base::as_bytes("y"), 0));
  CHECK_FALSE(crypto::scrypt_key(base::as_bytes("x"), base::as_bytes("y"), crypto::kMaxScryptLogN + 1));
}

TEST_CASE("X25519: both sides share one secret; points of low order are refused") {
  const auto mine = key_of(std::string(64, '7'));
  const auto pair = crypto::make_key_pair();
  REQUIRE(pair);
  const auto ours = crypto::public_key_of(mine);
  REQUIRE(ours);
  const auto one = crypto::shared_secret(mine, pair->public_key), other = crypto::shared_secret(pair->secret, *ours);
  REQUIRE(one);
  REQUIRE(other);
  CHECK(crypto::equal(one->reveal(), other->reveal()));
  for (const char* low : {"0000000000000000000000000000000000000000000000000000000000000000",
                          "0100000000000000000000000000000000000000000000000000000000000000",
                          "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800"}) {
    crypto::PublicKey point{};
    const auto bytes = hex(low);
    std::copy(bytes.begin(), bytes.end(), point.begin());
    CHECK(crypto::shared_secret(mine, point).error().code == Errc::usage);
  }
}

TEST_CASE("streaming SHA-256 is SHA-256") {
  crypto::Sha256 hash;
  hash.add(base::as_bytes("a"));
  hash.add({});
  hash.add(base::as_bytes("bc"));
  CHECK(hash.finish() == crypto::sha256(base::as_bytes("abc")));
}
