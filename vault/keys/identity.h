// A person's identity file, people/<name>: public keys in the clear, private keys under the passphrase, and the review
// keys that were granted, each sealed to the person's own box key.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "callvault/passphrase.h"
#include "crypto/box.h"
#include "crypto/passphrase.h"
#include "crypto/secret.h"
#include "crypto/sign.h"

namespace callvault::keys {

using base::Bytes;
using base::ByteView;

inline constexpr std::size_t kMaxIdentityBytes = 256 * 1024;
inline constexpr std::size_t kMaxPersonNameBytes = 64;
inline constexpr std::size_t kMaxReviewKeys = 1024;

struct PublicIdentity {
  std::string name;
  crypto::SigningPublicKey signing{};
  crypto::PublicKey box{};
  bool operator==(const PublicIdentity&) const = default;
};

// What an identity file says without its passphrase. Nothing of it is authenticated: whoever may write the file may
// write this.
struct IdentityFacts {
  PublicIdentity public_part;
  crypto::PassphraseCost cost;
  std::vector<std::uint32_t> review_numbers;  // ascending
};

class Identity {
 public:
  const std::string& name() const { return public_.name; }
  // Of somebody whose signature was checked: public keys alone, as the keeper's service knows people.
  static Identity without_secrets(PublicIdentity who) { return Identity(std::move(who)); }

  // REQUIRES: unlocked.
  const crypto::Key& signing_seed() const { return *signing_seed_; }
  const crypto::Key& box_secret() const { return *box_secret_; }
  const PublicIdentity& public_part() const { return public_; }

  bool has_review_keys() const { return !ring_.empty(); }
  // Errors: refused when this person was not granted it. The caller compares its public half with keys/review.pub:
  // whoever may write the file could have granted another.
  Result<const crypto::Key*> review_key(std::uint32_t number) const;

 private:
  friend struct IdentityMaker;
  Identity(PublicIdentity public_part, crypto::Key signing_seed, crypto::Key box_secret)
      : public_(std::move(public_part)), signing_seed_(std::move(signing_seed)), box_secret_(std::move(box_secret)) {}

  explicit Identity(PublicIdentity public_part) : public_(std::move(public_part)) {}

  PublicIdentity public_;
  std::optional<crypto::Key> signing_seed_, box_secret_;
  std::vector<std::pair<std::uint32_t, crypto::Key>> ring_;
};

struct NewIdentity {
  Bytes file;
  Identity identity;
};

// Draws the keys. Errors: usage when the name is not plain (base::is_plain_name) or the cost is out of bounds.
Result<NewIdentity> make_identity_file(std::string_view name, const Passphrase& passphrase,
                                       crypto::PassphraseCost cost = crypto::kDefaultCost);

// Errors: wrong_passphrase, also when the wrapped keys were tampered with (the two cannot be told apart); corrupt when
// the file is not an identity of `name`, is too large, or asks for more than four times the default cost;
// newer_version. Derives from the passphrase exactly once unless the file is refused before.
Result<Identity> unlock_identity(ByteView file, std::string_view name, const Passphrase& passphrase);
// For a person who does not exist: one derivation of the same cost, then always Errc::wrong_passphrase with the
// message that unlock_identity gives.
Result<void> spend_passphrase_cost(const Passphrase& passphrase, crypto::PassphraseCost cost = crypto::kDefaultCost);

// Errors: corrupt, newer_version.
Result<IdentityFacts> inspect_identity(ByteView file, std::string_view name);

// The same keys and grants under a fresh salt; the file's cost stays unless one is given.
Result<Bytes> with_new_passphrase(ByteView file, const Passphrase& old, const Passphrase& fresh,
                                  std::optional<crypto::PassphraseCost> cost = std::nullopt);
// The name, keys, cost and grants of `fresh` are those of `file`: another passphrase is all that is new. Errc::refused
// else.
Result<void> check_rewrapped(ByteView file, ByteView fresh, std::string_view name);
// An officer grants: needs only the public box key of the person. A grant of the same number is replaced. Give
// `expected` (from the journal) whenever the file may have been swapped: Errc::refused when its public part differs.
// In two halves: sealing needs the secret, putting in place only the file.
Result<Bytes> seal_review_key(const PublicIdentity& owner, std::uint32_t number, const crypto::Key& review_private);
Result<Bytes> with_sealed_review_key(ByteView file, std::uint32_t number, ByteView sealed,
                                     const PublicIdentity* expected = nullptr);
Result<Bytes> with_review_key(ByteView file, std::uint32_t number, const crypto::Key& review_private,
                              const PublicIdentity* expected = nullptr);
Result<Bytes> without_review_keys(ByteView file);

// Derivations made by this process, so that tests can show that a wrong name costs what a wrong passphrase costs.
std::uint64_t passphrase_derivations();

}  // namespace callvault::keys
