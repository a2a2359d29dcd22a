#include "review_ring.h"

#include <algorithm>

#include "base/text.h"
#include "keys/recorder_view.h"

namespace callvault {
namespace {

RingMember member_of(const keys::PersonEntry& person) {
  return {person.name, base::to_bytes(person.signing), base::to_bytes(person.box), {}};
}

keys::PublicIdentity identity_of(const RingMember& member) {
  keys::PublicIdentity out{member.name, {}, {}};
  if (member.signing.size() == out.signing.size()) std::ranges::copy(member.signing, out.signing.begin());
  if (member.box.size() == out.box.size()) std::ranges::copy(member.box, out.box.begin());
  return out;
}

Result<RingWish> wish_beside(const Vault::Impl& vault) {
  CALLVAULT_TRY_ASSIGN(const auto current, keys::read_review_public(vault.layout));
  return RingWish{current.number, base::to_bytes(current.key), 0, {}};
}

// A crash may have left the recorders a key that the directory does not count yet.
std::uint32_t newest_of(const RingWish& wish, const keys::Directory& directory) {
  return std::max(wish.current, directory.review_number);
}

const RingGrant* find_grant(const RingGift& gift, const std::string& name, std::uint32_t number) {
  const auto it =
      std::ranges::find_if(gift.grants, [&](const RingGrant& g) { return g.name == name && g.number == number; });
  return it == gift.grants.end() ? nullptr : &*it;
}

Result<void> put_grants(const Vault::Impl& vault, const RingWish& wish, const RingGift& gift, const std::string& name) {
  CALLVAULT_TRY_ASSIGN(auto file, read_identity(vault.layout, name));
  CALLVAULT_TRY_ASSIGN(file, with_grants(wish, gift, name, std::move(file)));
  return os::replace_file(vault.layout.people() / name, file);
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

Result<RingWish> ring_wish(const Vault::Impl& vault, const keys::Directory& directory, const std::string& name) {
  CALLVAULT_TRY_ASSIGN(auto out, wish_beside(vault));
  const auto known = directory.people.find(name);
  RingMember member = known == directory.people.end() ? RingMember{name, {}, {}, {}} : member_of(known->second);
  std::vector<std::uint32_t> has;
  if (known != directory.people.end()) {
    CALLVAULT_TRY_ASSIGN(const auto file, read_identity(vault.layout, name));
    CALLVAULT_TRY_ASSIGN(const auto facts, keys::inspect_identity(file, name));
    has = facts.review_numbers;
  }
  for (std::uint32_t number = 1; number <= newest_of(out, directory); ++number)
    if (!std::binary_search(has.begin(), has.end(), number)) member.lacks.push_back(number);
  out.members.push_back(std::move(member));
  return out;
}

Result<RingWish> rotation_wish(const Vault::Impl& vault, const keys::Directory& directory, const std::string& officer,
                               const std::string& leaver) {
  CALLVAULT_TRY_ASSIGN(auto out, wish_beside(vault));
  const std::uint32_t number = newest_of(out, directory) + 1;
  if (number > keys::kMaxReviewKeys) return out;
  out.fresh = number;
  for (const auto& [name, person] : directory.people) {
    if (name == leaver || (name != officer && (person.disabled || !holds_review_keys(person.roles)))) continue;
    out.members.push_back(member_of(person));
    out.members.back().lacks.push_back(number);
  }
  return out;
}

Result<RingGift> fulfil(const RingWish& wish, const Person& officer) {
  const auto& ring = officer.impl().identity;
  RingGift out;
  const bool anything = std::ranges::any_of(wish.members, [](const RingMember& m) { return !m.lacks.empty(); });
  if (!anything) return out;
  // Whoever may write people/ could have granted the officer another than recorders seal to.
  CALLVAULT_TRY_ASSIGN(const crypto::Key* current, ring.review_key(wish.current));
  CALLVAULT_TRY_ASSIGN(const auto half, crypto::public_key_of(*current));
  if (!std::ranges::equal(half, wish.current_key))
    return fail(Errc::corrupt, "the review key of " + officer.name() + " is not the one in keys/review.pub");
  CALLVAULT_TRY_ASSIGN(const auto fresh, crypto::make_key_pair());
  if (wish.fresh != 0) {
    out.fresh = wish.fresh;
    out.fresh_key = base::to_bytes(fresh.public_key);
  }
  for (const auto& member : wish.members) {
    for (const auto number : member.lacks) {
      const crypto::Key* key = &fresh.secret;
      if (number != wish.fresh) {
        CALLVAULT_TRY_ASSIGN(key, ring.review_key(number));
      }
      CALLVAULT_TRY_ASSIGN(auto sealed, keys::seal_review_key(identity_of(member), number, *key));
      out.grants.push_back({member.name, number, std::move(sealed)});
    }
  }
  return out;
}

Result<base::Bytes> with_grants(const RingWish& wish, const RingGift& gift, const std::string& name, base::Bytes file) {
  const auto member = std::ranges::find(wish.members, name, &RingMember::name);
  if (member == wish.members.end()) return fail(Errc::refused, name + " is to be granted no review key");
  const auto owner = identity_of(*member);
  CALLVAULT_TRY(keys::inspect_identity(file, name));
  for (const auto number : member->lacks) {
    const RingGrant* grant = find_grant(gift, name, number);
    if (grant == nullptr)
      return fail(Errc::refused, "review key " + std::to_string(number) + " was not granted to " + name);
    CALLVAULT_TRY_ASSIGN(file, keys::with_sealed_review_key(file, number, grant->sealed, &owner));
  }
  return file;
}

Result<NewReviewKey> apply_rotation(const Vault::Impl& vault, keys::Directory& directory, const std::string& officer,
                                    const std::string& leaver, const RingGift& gift) {
  NewReviewKey out;
  CALLVAULT_TRY_ASSIGN(const auto wish, rotation_wish(vault, directory, officer, leaver));
  if (wish.fresh == 0) {
    out.problems.emplace_back("no new review key: there are as many as an identity holds");
    return out;
  }
  keys::ReviewPublic fresh{gift.fresh, {}};
  if (gift.fresh != wish.fresh || gift.fresh_key.size() != fresh.key.size())
    return fail(Errc::busy, "the people or their keys were changed meanwhile: try again");
  std::ranges::copy(gift.fresh_key, fresh.key.begin());
  // Of the officer first: a key that nobody here holds must never reach the recorders.
  CALLVAULT_TRY(put_grants(vault, wish, gift, officer));
  for (const auto& member : wish.members) {
    if (member.name == officer) continue;
    // One damaged file must not keep somebody else's access open.
    if (const auto granted = put_grants(vault, wish, gift, member.name); !granted)
      out.problems.push_back(member.name + " lacks review key " + std::to_string(fresh.number) + ": " +
                             granted.error().message);
  }
  CALLVAULT_TRY(keys::replace_review_public(vault.layout, fresh));
  directory.review_number = fresh.number;
  out.number = fresh.number;
  return out;
}

Result<NewReviewKey> rotate_review_key(const Vault::Impl& vault, keys::Directory& directory, const Person& officer,
                                       const std::string& leaver) {
  CALLVAULT_TRY_ASSIGN(const auto wish, rotation_wish(vault, directory, officer.name(), leaver));
  CALLVAULT_TRY_ASSIGN(const auto gift, fulfil(wish, officer));
  return apply_rotation(vault, directory, officer.name(), leaver, gift);
}

}  // namespace callvault
