// Who holds the review key: granting it to a person, and drawing a new one when somebody must not have it any more.
// docs/format/keys.md, "A new review key".
//
// Each time in two halves, which may be two processes: the keeper side says who lacks which keys (a wish), the
// officer's process, which alone opens review keys, seals them to those people (a gift), and the keeper side puts them
// in place.
#pragma once

#include <string>
#include <vector>

#include "keys/recorder_view.h"
#include "session.h"

namespace callvault {

// Officers hold the review keys in order to grant them; auditors and operators hold none.
bool holds_review_keys(std::uint8_t roles);

// The key that recorders seal to now, which the officer must hold: whoever may write people/ could have granted them
// another. Errors: corrupt, refused.
Result<keys::ReviewPublic> current_review_key(const Vault::Impl& vault, const Person& officer);

struct RingMember {
  std::string name;
  base::Bytes signing, box;          // public keys, as the directory knows them
  std::vector<std::uint32_t> lacks;  // numbers of review keys
};

struct RingWish {
  std::uint32_t current = 0;  // the key that recorders seal to now ...
  base::Bytes current_key;    // ... and its public half
  std::uint32_t fresh = 0;    // the number of a key to be drawn; 0: none
  std::vector<RingMember> members;
};
// What somebody's identity lacks; nobody of the directory yet: they lack every key. Errors: corrupt.
Result<RingWish> ring_wish(const Vault::Impl& vault, const keys::Directory& directory, const std::string& name);
// A new key for everybody who holds the present one, but `leaver`. fresh = 0: an identity holds no more keys.
Result<RingWish> rotation_wish(const Vault::Impl& vault, const keys::Directory& directory, const std::string& officer,
                               const std::string& leaver);

struct RingGrant {
  std::string name;
  std::uint32_t number = 0;
  base::Bytes sealed;  // to the person's box key
};
struct RingGift {
  std::uint32_t fresh = 0;
  base::Bytes fresh_key;  // public half of the one that was drawn
  std::vector<RingGrant> grants;
};
// In the officer's process. Errors: corrupt (the officer's newest is not the one recorders use); refused (the officer
// lacks one).
Result<RingGift> fulfil(const RingWish& wish, const Person& officer);

// The identity file with what was granted to its owner. Errors: refused (the file is not who the directory knows, or
// something that was not wished for is given).
Result<base::Bytes> with_grants(const RingWish& wish, const RingGift& gift, const std::string& name, base::Bytes file);

struct NewReviewKey {
  std::uint32_t number = 0;
  std::vector<std::string> problems;  // whose identity could not be granted it, and why
};
// The fresh key's private half goes to every holder but `leaver`, durable, and only then its public half to the
// recorders. The directory is edited: the caller commits. After a crash in between, one of the two is in use, and
// whoever holds it holds the older ones too. Errors: busy (it is not what is wished for any more); as above.
Result<NewReviewKey> apply_rotation(const Vault::Impl& vault, keys::Directory& directory, const std::string& officer,
                                    const std::string& leaver, const RingGift& gift);
// All of it in one process.
Result<NewReviewKey> rotate_review_key(const Vault::Impl& vault, keys::Directory& directory, const Person& officer,
                                       const std::string& leaver);

keys::PublicIdentity public_identity(const keys::PersonEntry& entry);
Result<base::Bytes> read_identity(const base::Layout& layout, std::string_view name);

}  // namespace callvault
