#include "review_ring.h"

#include <algorithm>

#include "base/text.h"
#include "keys/recorder_view.h"

namespace callvault {
namespace {

Result<void> grant(const Vault::Impl& vault, const keys::PersonEntry& person, std::uint32_t number,
                   const crypto::Key& secret) {
  const auto owner = public_identity(person);
  CALLVAULT_TRY_ASSIGN(const auto file, read_identity(vault.layout, person.name));
  CALLVAULT_TRY(keys::inspect_identity(file, person.name));
  CALLVAULT_TRY_ASSIGN(const auto granted, keys::with_review_key(file, number, secret, &owner));
  return os::replace_file(vault.layout.people() / person.name, granted);
}

}  // namespace

Result<keys::ReviewPublic> current_review_key(const Vault::Impl& vault, const Person& officer) {
  CALLVAULT_TRY_ASSIGN(const auto current, keys::read_review_public(vault.layout));
  CALLVAULT_TRY_ASSIGN(const crypto::Key* key, officer.impl().identity.review_key(current.number));
  CALLVAULT_TRY_ASSIGN(const auto half, crypto::public_key_of(*key));
  if (half != current.key)
    return fail(Errc::corrupt, "the review key of " + officer.name() + " is not the one in keys/review.pub");
  return current;
}

bool holds_review_keys(std::uint8_t roles) {
  return (roles & (static_cast<unsigned>(Role::officer) | static_cast<unsigned>(Role::reviewer) |
                   static_cast<unsigned>(Role::evaluator))) != 0;
}

keys::PublicIdentity public_identity(const keys::PersonEntry& entry) { return {entry.name, entry.signing, entry.box}; }

Result<base::Bytes> read_identity(const base::Layout& layout, std::string_view name) {
  if (!base::is_plain_name(name, keys::kMaxPersonNameBytes)) return fail(Errc::not_found, "no such person");
  return os::read_file(layout.people() / name, keys::kMaxIdentityBytes);
}

Result<base::Bytes> with_review_ring(const Vault::Impl& vault, const keys::Directory& directory, const Person& officer,
                                     const keys::PublicIdentity& owner, base::Bytes file) {
  CALLVAULT_TRY_ASSIGN(const auto current, current_review_key(vault, officer));
  CALLVAULT_TRY_ASSIGN(const auto facts, keys::inspect_identity(file, owner.name));
  // A crash may have left the recorders a key that the directory does not count yet.
  const std::uint32_t newest = std::max(current.number, directory.review_number);
  for (std::uint32_t number = 1; number <= newest; ++number) {
    if (std::binary_search(facts.review_numbers.begin(), facts.review_numbers.end(), number)) continue;
    CALLVAULT_TRY_ASSIGN(const crypto::Key* key, officer.impl().identity.review_key(number));
    CALLVAULT_TRY_ASSIGN(file, keys::with_review_key(file, number, *key, &owner));
  }
  return file;
}

Result<NewReviewKey> rotate_review_key(const Vault::Impl& vault, keys::Directory& directory, const Person& officer,
                                       const std::string& leaver) {
  NewReviewKey out;
  CALLVAULT_TRY_ASSIGN(const auto current, current_review_key(vault, officer));
  const std::uint32_t number = std::max(current.number, directory.review_number) + 1;
  if (number > keys::kMaxReviewKeys) {
    out.problems.emplace_back("no new review key: there are as many as an identity holds");
    return out;
  }
  CALLVAULT_TRY_ASSIGN(const auto pair, crypto::make_key_pair());
  // Of the officer first: a key that nobody here holds must never reach the recorders.
  CALLVAULT_TRY(grant(vault, directory.people.at(officer.name()), number, pair.secret));
  for (const auto& [name, person] : directory.people) {
    if (name == leaver || name == officer.name() || person.disabled || !holds_review_keys(person.roles)) continue;
    // One damaged file must not keep somebody else's access open.
    if (const auto granted = grant(vault, person, number, pair.secret); !granted)
      out.problems.push_back(name + " lacks review key " + std::to_string(number) + ": " + granted.error().message);
  }
  CALLVAULT_TRY(keys::replace_review_public(vault.layout, {number, pair.public_key}));
  directory.review_number = number;
  out.number = number;
  return out;
}

}  // namespace callvault
