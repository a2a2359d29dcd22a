#include <doctest/doctest.h>

#include "base/text.h"
#include "crypto/aead.h"
#include "crypto/box.h"
#include "crypto/hash.h"
#include "crypto/sign.h"

using namespace callvault;
using base::as_bytes;
using base::to_hex;

TEST_CASE("BLAKE2b-256 and SHA-256 known answers") {
  CHECK(to_hex(crypto::blake2b(as_bytes("abc"))) == "bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319");
  CHECK(to_hex(crypto::sha256(as_bytes("abc"))) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST_CASE("a sealed text opens under its own key and associated data only") {
  const auto key = crypto::Key::random();
  const auto other = crypto::Key::random();
  REQUIRE(key);
  REQUIRE(other);
  const auto sealed = crypto::seal(*key, as_bytes("where"), as_bytes("what"));
  CHECK(base::as_text(*crypto::open_plain(*key, as_bytes("where"), sealed, "it")) == "what");
  CHECK(crypto::open_plain(*other, as_bytes("where"), sealed, "it").error().code == Errc::corrupt);
  CHECK_FALSE(crypto::open_plain(*key, as_bytes("there"), sealed, "it"));
  for (std::size_t bit = 0; bit < sealed.size() * 8; ++bit) {
    auto flipped = sealed;
    flipped[bit / 8] ^= static_cast<std::byte>(1U << bit % 8);
    CHECK_FALSE(crypto::open_plain(*key, as_bytes("where"), flipped, "it"));
  }
}

TEST_CASE("a box needs the private key and the pepper") {
  const auto pair = crypto::make_key_pair();
  const auto pepper = crypto::Key::random();
  REQUIRE(pair);
  REQUIRE(pepper);
  const auto sealed = crypto::seal_to(pair->public_key, &*pepper, "label", {}, as_bytes("secret"));
  REQUIRE(sealed);
  CHECK(sealed->size() == 6 + crypto::kBoxOverhead);
  CHECK(base::as_text(crypto::open_from(pair->secret, &*pepper, "label", {}, *sealed, "box")->reveal()) == "secret");
  CHECK_FALSE(crypto::open_from(pair->secret, nullptr, "label", {}, *sealed, "box"));
  CHECK_FALSE(crypto::open_from(pair->secret, &*pepper, "other", {}, *sealed, "box"));
  CHECK_FALSE(crypto::open_from(*pepper, &*pepper, "label", {}, *sealed, "box"));
}

TEST_CASE("a chunk is bound to its place and to being the last") {
  const auto key = crypto::Key::random();
  REQUIRE(key);
  const base::Bytes plain(1024, std::byte{7});
  base::Bytes sealed(plain.size() + crypto::kTagBytes);
  base::Bytes opened(plain.size());
  crypto::seal_chunk(*key, 5, false, plain, sealed);
  CHECK(crypto::open_chunk(*key, 5, false, sealed, opened));
  CHECK(opened == plain);
  CHECK_FALSE(crypto::open_chunk(*key, 5, true, sealed, opened));
  CHECK_FALSE(crypto::open_chunk(*key, 6, false, sealed, opened));
}

TEST_CASE("derived keys differ by label and context") {
  const auto key = crypto::Key::random();
  REQUIRE(key);
  const auto a = key->derive("a", as_bytes("x"));
  const auto b = key->derive("b", as_bytes("x"));
  const auto again = key->derive("a", as_bytes("x"));
  CHECK_FALSE(crypto::equal(a->reveal(), b->reveal()));
  CHECK(crypto::equal(a->reveal(), again->reveal()));
}

TEST_CASE("Ed25519 signatures verify, and only theirs") {
  const auto seed = crypto::Key::random();
  REQUIRE(seed);
  const auto signature = crypto::sign(*seed, as_bytes("text"));
  CHECK(crypto::verify(crypto::signing_public_key(*seed), as_bytes("text"), signature));
  CHECK_FALSE(crypto::verify(crypto::signing_public_key(*seed), as_bytes("next"), signature));
}
