// All that a recorder may know of a vault: vault.toml, keys/intake and keys/review.pub. It can open nothing it wrote.
#pragma once

#include "base/layout.h"
#include "keys/config.h"
#include "keys/intake.h"

namespace callvault::keys {

struct ReviewPublic {
  std::uint32_t number = 0;
  crypto::PublicKey key{};
};

// Text: "callvault review key v1 <number> <base64> <check>\n"; check = the first 8 bytes, in hexadecimal, of
// BLAKE2b-256 of the text before it: what is sealed to a key with a flipped bit nobody will ever open.
std::string encode_review_public(const ReviewPublic& key);
Result<ReviewPublic> decode_review_public(std::string_view text);
Result<ReviewPublic> read_review_public(const base::Layout& layout);
// Durable; whoever could read the old one can read it. What was sealed to the old one stays so.
Result<void> replace_review_public(const base::Layout& layout, const ReviewPublic& key);

class RecorderView {
 public:
  // Errors: no_vault, newer_version, corrupt, refused (no permission).
  static Result<RecorderView> open(const os::Path& vault);

  const base::Layout& layout() const { return layout_; }
  const Config& config() const { return config_; }
  const ReviewPublic& review() const { return review_; }
  // See keys::acquire_intake. Hold the lease until the header is durable, then let it go.
  Result<IntakeLease> acquire_intake() const { return keys::acquire_intake(layout_); }
  // 0660 where incoming/ is shared with a group of recorders (then the vault's user is another), else 0600.
  unsigned file_mode() const { return file_mode_; }

 private:
  base::Layout layout_;
  Config config_;
  ReviewPublic review_;
  unsigned file_mode_ = 0600;
};

}  // namespace callvault::keys
