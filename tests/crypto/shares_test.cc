#include "crypto/shares.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>

#include "base/text.h"

namespace {

using namespace callvault;

std::vector<crypto::KeyShare> some_of(const std::vector<crypto::KeyShare>& all, unsigned picked) {
  std::vector<crypto::KeyShare> out;
  for (std::size_t i = 0; i < all.size(); ++i)
    if ((picked >> i & 1U) != 0) out.push_back({all[i].number, std::move(*all[i].part.clone())});
  return out;
}

TEST_CASE("every choice of enough shares gives the key, no choice of fewer does") {
  const auto secret = crypto::Key::random();
  REQUIRE(secret);
  for (const auto& [of, need] : {std::pair{2U, 2U}, std::pair{5U, 3U}, std::pair{5U, 5U}}) {
    const auto shares = crypto::split_key(*secret, of, need);
    REQUIRE(shares);
    REQUIRE(shares->size() == of);
    for (unsigned picked = 0; picked < 1U << of; ++picked) {
      const auto some = some_of(*shares, picked);
      if (some.size() < 2) continue;
      const auto joined = crypto::join_key(some);
      REQUIRE(joined);
      const bool same = std::ranges::equal(joined->reveal(), secret->reveal());
      CHECK(same == (some.size() >= need));
    }
  }
}

// Lagrange by hand over x^8 + x^4 + x^3 + x^2 + 1: f(x) = s + a x, s = 5, a = 7; so shares made today stay readable.
TEST_CASE("the field is the documented one") {
  std::vector<crypto::KeyShare> shares;
  for (const auto& [number, byte] : {std::pair{1, 0x02}, std::pair{2, 0x0b}}) {
    auto key = crypto::Key::random();
    REQUIRE(key);
    std::ranges::fill(key->reveal_mutable(), static_cast<std::byte>(byte));
    shares.push_back({static_cast<std::uint8_t>(number), std::move(*key)});
  }
  const auto joined = crypto::join_key(shares);
  REQUIRE(joined);
  CHECK(base::to_hex(joined->reveal().first(2)) == "0505");
  // f(x) = 1 + 0x80 x: where the polynomial counts. 0x80 * 2 = 0x1d.
  std::ranges::fill(shares[0].part.reveal_mutable(), std::byte{0x81});
  std::ranges::fill(shares[1].part.reveal_mutable(), std::byte{0x1c});
  CHECK(base::to_hex(crypto::join_key(shares)->reveal().first(2)) == "0101");
}

TEST_CASE("numbers that cannot be are refused") {
  const auto secret = crypto::Key::random();
  REQUIRE(secret);
  for (const auto& [of, need] :
       {std::pair{1U, 1U}, std::pair{3U, 1U}, std::pair{3U, 4U}, std::pair{33U, 2U}, std::pair{0U, 0U}})
    CHECK(crypto::split_key(*secret, of, need).error().code == Errc::usage);
  const auto shares = crypto::split_key(*secret, 3, 2);
  REQUIRE(shares);
  CHECK(crypto::join_key(some_of(*shares, 1)).error().code == Errc::usage);
  auto twice = some_of(*shares, 1);
  twice.push_back({twice.front().number, std::move(*twice.front().part.clone())});
  CHECK(crypto::join_key(twice).error().code == Errc::usage);
  auto zero = some_of(*shares, 3);
  zero.front().number = 0;
  CHECK(crypto::join_key(zero).error().code == Errc::usage);
}

}  // namespace
