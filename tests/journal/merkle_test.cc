#include "journal/merkle.h"

#include <doctest/doctest.h>

#include <bit>
#include <string>

#include "base/text.h"

namespace callvault::journal {
namespace {

using crypto::Digest;
using Digests = std::vector<Digest>;

// RFC 6962 2.1 as it is written there: the oracle.
Digest mth(std::span<const Digest> d) {
  if (d.empty()) return crypto::sha256({});
  if (d.size() == 1) return d[0];
  const std::size_t k = std::bit_floor(d.size() - 1);
  return node_hash(mth(d.first(k)), mth(d.subspan(k)));
}
Digests path(std::size_t m, std::span<const Digest> d) {
  if (d.size() == 1) return {};
  const std::size_t k = std::bit_floor(d.size() - 1);
  Digests out = m < k ? path(m, d.first(k)) : path(m - k, d.subspan(k));
  out.push_back(m < k ? mth(d.subspan(k)) : mth(d.first(k)));
  return out;
}
Digests subproof(std::size_t m, std::span<const Digest> d, bool whole) {
  if (m == d.size()) return whole ? Digests{} : Digests{mth(d)};
  const std::size_t k = std::bit_floor(d.size() - 1);
  Digests out = m <= k ? subproof(m, d.first(k), whole) : subproof(m - k, d.subspan(k), false);
  out.push_back(m <= k ? mth(d.subspan(k)) : mth(d.first(k)));
  return out;
}

struct Grown {
  explicit Grown(std::uint64_t size) {
    for (std::uint64_t i = 0; i < size; ++i) {
      leaves.push_back(leaf_hash("leaf " + std::to_string(i)));
      builder.add(leaves.back(), &stored);
      heads.push_back(builder.head());
    }
  }
  Tree tree() const {
    return Tree([this](std::uint64_t at) -> Result<Digest> {
      if (at >= stored.size()) return fail(Errc::corrupt, "out of range");
      return stored[at];
    });
  }
  std::span<const Digest> first(std::uint64_t n) const { return std::span(leaves).first(n); }
  TreeBuilder builder;
  Digests leaves, stored;
  std::vector<Head> heads{builder.head()};
};

std::string bytes(const char* hex) {
  const auto raw = base::from_hex(hex);
  return std::string(base::as_text(*raw));
}

TEST_CASE("known answers of the Certificate Transparency test tree") {
  const std::vector<std::pair<const char*, const char*>> table{
      {"", "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"},
      {"00", "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"},
      {"10", "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77"},
      {"2021", "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"},
      {"3031", "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4"},
      {"40414243", "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef"},
      {"5051525354555657", "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c"},
      {"606162636465666768696a6b6c6d6e6f", "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"}};
  TreeBuilder builder;
  CHECK(base::to_hex(builder.head().root) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  for (const auto& [leaf, root] : table) {
    builder.add(leaf_hash(bytes(leaf)));
    CHECK(base::to_hex(builder.head().root) == root);
  }
}

TEST_CASE("a long leaf hashes like a short one") {
  for (const std::size_t size : {std::size_t{4094}, std::size_t{4095}, std::size_t{4096}, std::size_t{100'000}})
    CHECK(leaf_hash(std::string(size, 'x')) ==
          crypto::sha256(base::as_bytes(std::string(1, '\0') + std::string(size, 'x'))));
}

TEST_CASE("every inclusion proof up to 130 leaves is the RFC's and verifies, and nothing else does") {
  const Grown grown(130);
  const Tree tree = grown.tree();
  for (std::uint64_t size = 1; size <= 130; ++size) {
    const Head head = tree.head_at(size).value();
    REQUIRE(head.root == mth(grown.first(size)));
    REQUIRE(head == grown.heads[size]);
    REQUIRE(stored_count(size) <= grown.stored.size());
    for (std::uint64_t index = 0; index < size; ++index) {
      Digests proof = tree.inclusion_proof(index, size).value();
      REQUIRE(proof == path(index, grown.first(size)));
      REQUIRE(verify_inclusion(grown.leaves[index], index, head, proof));
      REQUIRE_FALSE(verify_inclusion(grown.leaves[index], index + 1, head, proof));
      REQUIRE_FALSE(verify_inclusion(grown.leaves[(index + 1) % 130], index, head, proof));
      REQUIRE_FALSE(verify_inclusion(grown.leaves[index], size, head, proof));
      proof.push_back(head.root);
      REQUIRE_FALSE(verify_inclusion(grown.leaves[index], index, head, proof));
      proof.pop_back();
      if (proof.empty()) continue;
      proof[index % proof.size()][size % 32] ^= std::byte{1};
      REQUIRE_FALSE(verify_inclusion(grown.leaves[index], index, head, proof));
      proof.pop_back();
      REQUIRE_FALSE(verify_inclusion(grown.leaves[index], index, head, proof));
    }
  }
}

TEST_CASE("every consistency proof up to 64 leaves is the RFC's and verifies, and nothing else does") {
  const Grown grown(64);
  const Tree tree = grown.tree();
  for (std::uint64_t to = 0; to <= 64; ++to) {
    for (std::uint64_t from = 0; from <= to; ++from) {
      Digests proof = tree.consistency_proof(from, to).value();
      if (from > 0) REQUIRE(proof == subproof(from, grown.first(to), true));
      REQUIRE(verify_consistency(grown.heads[from], grown.heads[to], proof));
      Head other = grown.heads[from];
      other.root[5] ^= std::byte{4};
      REQUIRE_FALSE(verify_consistency(other, grown.heads[to], proof));
      if (from != to) REQUIRE_FALSE(verify_consistency(grown.heads[to], grown.heads[from], proof));
      if (from > 0 && from < to) {
        other = grown.heads[to];
        other.root[5] ^= std::byte{4};
        REQUIRE_FALSE(verify_consistency(grown.heads[from], other, proof));
        proof[to % proof.size()][from % 32] ^= std::byte{1};
        REQUIRE_FALSE(verify_consistency(grown.heads[from], grown.heads[to], proof));
        proof.pop_back();
        REQUIRE_FALSE(verify_consistency(grown.heads[from], grown.heads[to], proof));
      }
      proof.push_back(other.root);
      REQUIRE_FALSE(verify_consistency(grown.heads[from], grown.heads[to], proof));
    }
  }
}

TEST_CASE("huge claimed sizes neither loop nor verify") {
  const Digests proof(70, Digest{});
  CHECK_FALSE(verify_inclusion({}, 5, {.size = ~std::uint64_t{0}, .root = {}}, proof));
  CHECK_FALSE(verify_inclusion({}, 0, {}, {}));
  CHECK_FALSE(verify_consistency({.size = 3, .root = {}}, {.size = ~std::uint64_t{0}, .root = {}}, proof));
  CHECK_FALSE(
      verify_consistency({.size = std::uint64_t{1} << 63, .root = {}}, {.size = ~std::uint64_t{0}, .root = {}}, {}));
}

}  // namespace
}  // namespace callvault::journal
