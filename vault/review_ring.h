// Who holds the review key: granting it to a person, and drawing a new one when somebody must not have it any more.
// docs/format/keys.md, "A new review key".
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

// The identity file with every review key that it lacks, from the officer's own. Errors: corrupt (the officer's newest
// is not the one recorders use); refused (the officer lacks one, or the file is not who the directory knows).
Result<base::Bytes> with_review_ring(const Vault::Impl& vault, const keys::Directory& directory, const Person& officer,
                                     const keys::PublicIdentity& owner, base::Bytes file);

struct NewReviewKey {
  std::uint32_t number = 0;
  std::vector<std::string> problems;  // whose identity could not be granted it, and why
};
// Draws the next pair; its private half goes to every holder but `leaver`, durable, and only then its public half to
// the recorders. The directory is edited: the caller commits. After a crash in between, one of the two is in use, and
// whoever holds it holds the older ones too. Errors: as above.
Result<NewReviewKey> rotate_review_key(const Vault::Impl& vault, keys::Directory& directory, const Person& officer,
                                       const std::string& leaver);

keys::PublicIdentity public_identity(const keys::PersonEntry& entry);
Result<base::Bytes> read_identity(const base::Layout& layout, std::string_view name);

}  // namespace callvault
