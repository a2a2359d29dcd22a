// The alias register: which telephone numbers are one person's, so that a request finds all of theirs. It holds no
// number that can be read without one: each group's numbers lie under a key of the group, and that key once for each
// member under a key from the register's index key and the member itself. Whoever asks with one number gets the others;
// the register alone lists nobody. docs/format/keys.md.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "context/context.h"

namespace callvault::context {

inline constexpr std::string_view kAliasRegister = "aliases";
inline constexpr std::size_t kMaxAliases = 32;  // numbers of one person

struct AliasMember {
  std::array<std::byte, 16> token{};  // the number, blinded
  base::Bytes group_key;              // sealed for whoever knows the number
};

struct AliasGroup {
  Time since{};  // when it was last added to
  std::vector<AliasMember> members;
  base::Bytes numbers;  // sealed under the group's key
};

std::string encode_aliases(const std::vector<AliasGroup>& groups);
// Errors: corrupt, newer_version.
Result<std::vector<AliasGroup>> decode_aliases(std::string_view text);

// What a group says of one person.
struct AliasPerson {
  std::string request;  // reference of the request it was noted for; may be empty
  std::vector<std::string> numbers;
};

class Aliases {
 public:
  // Errors: corrupt, newer_version.
  static Result<Aliases> load(const Context& context);
  // In place of one that cannot be read any more: empty.
  static Result<Aliases> begin_again(const Context& context);

  // Numbers in their normal form, here and below (base::normalise_number). All numbers of their people, ascending,
  // themselves among them. Errors: corrupt.
  Result<std::vector<std::string>> of(const std::vector<std::string>& numbers) const;
  // Nothing when the number is in no group. Errors: corrupt.
  Result<std::optional<AliasPerson>> find(std::string_view number) const;
  // Makes them one person's, and with them whatever each was grouped with. False when they were that already. Errors:
  // usage: more than kMaxAliases.
  Result<bool> add(const std::vector<std::string>& numbers, const std::string& request, Time now);
  // Takes one number out of its group; a group of one is none. False when it was in none.
  Result<bool> remove(std::string_view number, Time now);
  // Drops the number's whole group. False when it was in none.
  bool drop(std::string_view number);
  // Drops groups that nothing was added to for as long as the vault keeps requests; tells how many.
  Result<std::size_t> prune(const Context& context);
  bool empty() const { return groups_.empty(); }

  // Into the edited directory: durable with its commit. Errors: refused when there are too many.
  Result<void> stage(Context& context) const;

 private:
  explicit Aliases(crypto::Key key) : key_(std::move(key)) {}
  Result<std::size_t> index_of(std::string_view number) const;  // groups_.size() when in none
  Result<AliasPerson> open(const AliasGroup& group, std::string_view number) const;
  Result<AliasGroup> seal(const AliasPerson& person, Time since) const;

  crypto::Key key_;
  std::vector<AliasGroup> groups_;
};

}  // namespace callvault::context
