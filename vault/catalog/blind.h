// Search tokens: what stands in the index instead of a number or a name.
//
// A token is a keyed hash, under the bucket's index key, of field, value and k. The k-th row of a bucket with the same
// value takes k, so no two tokens are equal and an erased row in an old page cannot be tied to a living one. A search
// counts k up until it misses. The index key changes with every new generation that leaves rows out.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "catalog/row.h"
#include "crypto/secret.h"

namespace callvault::catalog {

// The numbers are part of the format: never renumber.
enum class Field : std::uint8_t { caller = 1, called = 2, agent = 3, call_id = 4 };

inline constexpr std::size_t kTokenBytes = 24;
using Token = std::array<std::byte, kTokenBytes>;

Token blind(const crypto::Key& index_key, Field field, std::string_view value, std::uint32_t k);

// Gives out the tokens of one bucket in turn. For a bucket written whole it starts empty; before rows are added to
// one, `Catalog::seed` tells it how many rows have each value already.
class Blinder {
 public:
  // REQUIRES: index_key outlives it.
  explicit Blinder(const crypto::Key& index_key) : index_key_(&index_key) {}

  void seed(Field field, std::string_view value, std::uint32_t count) { next_[{field, std::string(value)}] = count; }
  bool knows(Field field, std::string_view value) const { return next_.contains({field, std::string(value)}); }
  Token next(Field field, std::string_view value);
  // Tokens for every non-empty searchable field of a row.
  std::vector<Token> tokens_of(const Row& row);
  const crypto::Key& index_key() const { return *index_key_; }

 private:
  const crypto::Key* index_key_;
  std::map<std::pair<Field, std::string>, std::uint32_t> next_;
};

}  // namespace callvault::catalog
