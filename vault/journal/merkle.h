// The Merkle tree of RFC 6962 (SHA-256) and its proofs. Pure: hashes come from memory or from a HashSource.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string_view>
#include <vector>

#include "callvault/result.h"
#include "crypto/hash.h"

namespace callvault::journal {

struct Head {
  std::uint64_t size = 0;
  crypto::Digest root{};

  friend bool operator==(const Head&, const Head&) = default;
};

crypto::Digest leaf_hash(std::string_view line);                                    // SHA256(0x00 || line)
crypto::Digest node_hash(const crypto::Digest& left, const crypto::Digest& right);  // SHA256(0x01 || left || right)
crypto::Digest empty_root();                                                        // SHA256()

// RFC 9162 2.1.3.2 and 2.1.4.2. False for every malformed input.
bool verify_inclusion(const crypto::Digest& leaf, std::uint64_t index, const Head& head,
                      std::span<const crypto::Digest> proof);
bool verify_consistency(const Head& old_head, const Head& new_head, std::span<const crypto::Digest> proof);

// Grows a tree leaf by leaf in O(log n) memory.
class TreeBuilder {
 public:
  // `stored`, when given, takes the leaf's hash and that of each subtree it completes, in the order of the hashes file.
  void add(const crypto::Digest& leaf, std::vector<crypto::Digest>* stored = nullptr);
  std::uint64_t size() const { return size_; }
  Head head() const;

 private:
  friend class Tree;
  std::uint64_t size_ = 0;
  std::vector<crypto::Digest> peaks_;  // of complete subtrees, largest first
};

// How many hashes are stored for `leaves` leaves, and where that of complete subtree `index` of 2^level leaves stands.
std::uint64_t stored_count(std::uint64_t leaves);
std::uint64_t stored_position(unsigned level, std::uint64_t index);

// Roots and proofs from stored hashes, O(log n) reads each.
class Tree {
 public:
  using HashSource = std::function<Result<crypto::Digest>(std::uint64_t position)>;
  explicit Tree(HashSource source) : source_(std::move(source)) {}

  Result<Head> head_at(std::uint64_t size) const;
  Result<TreeBuilder> builder_at(std::uint64_t size) const;
  // REQUIRES: index < size.
  Result<std::vector<crypto::Digest>> inclusion_proof(std::uint64_t index, std::uint64_t size) const;
  // REQUIRES: old_size <= new_size. Empty when old_size is 0 or new_size.
  Result<std::vector<crypto::Digest>> consistency_proof(std::uint64_t old_size, std::uint64_t new_size) const;

 private:
  Result<crypto::Digest> range(std::uint64_t first, std::uint64_t last) const;
  HashSource source_;
};

}  // namespace callvault::journal
