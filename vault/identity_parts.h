// The halves of what touches people's identities: what the keeper side decides, and what the person's own process does,
// which alone holds a passphrase, signs, and opens review keys. docs/SEPARATION.md.
#pragma once

#include <string>

#include "callvault/people.h"
#include "review_ring.h"

namespace callvault {

// What it takes to make a person's identity.
struct NewIdentityFacts {
  std::uint32_t passes = 0, memory_kib = 0;  // of the passphrase
  RingWish ring;                             // nobody's when the roles need no review key
};
Result<NewIdentityFacts> prepare_person(Vault& vault, const Person& officer, const PersonOptions& options);
// In the officer's process: draws the keys and grants.
Result<base::Bytes> make_person(NewIdentityFacts facts, const Person& officer, const PersonOptions& options,
                                const Passphrase& passphrase);
Result<void> register_person(Vault& vault, const Person& officer, const PersonOptions& options,
                             const base::Bytes& identity);

// Another passphrase, and nothing else new.
Result<void> replace_identity(Vault& vault, const Person& person, const base::Bytes& identity);

// Before the officer's process draws a new review key, and with what it drew.
Result<RingWish> prepare_disabling(Vault& vault, const Person& officer, std::string_view name);
Result<DisableReport> disable_person(Vault& vault, const Person& officer, std::string_view name, const RingGift& gift);

Result<RingWish> prepare_renewal(Vault& vault, const Person& officer, std::string_view name);
Result<PersonInfo> renew_person(Vault& vault, const Person& officer, std::string_view name, std::optional<Time> until,
                                const RingGift& gift);

// What the person signs, and the signature.
struct DutyToAccept {
  std::string origin;
  std::uint64_t number = 0;
  std::string sha256;
  Time at{};
};
Result<DutyToAccept> prepare_acceptance(Vault& vault, const Person& person);
Result<PersonInfo> take_acceptance(Vault& vault, const Person& person, const DutyToAccept& duty,
                                   const base::Bytes& signature);

}  // namespace callvault
