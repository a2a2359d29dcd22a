#include "keys/recorder_view.h"

#include <sstream>

#include "base/text.h"

namespace callvault::keys {

std::string encode_review_public(const ReviewPublic& key) {
  return "callvault review key v1 " + std::to_string(key.number) + " " + base::to_base64(key.key) + "\n";
}

Result<ReviewPublic> decode_review_public(std::string_view text) {
  std::istringstream in{std::string(text)};
  std::string a, b, c, version, encoded;
  ReviewPublic out;
  in >> a >> b >> c >> version >> out.number >> encoded;
  const auto key = base::from_base64(encoded);
  if (a != "callvault" || b != "review" || c != "key" || !in) return fail(Errc::corrupt, "keys/review.pub is damaged");
  if (version != "v1") return fail(Errc::newer_version, "keys/review.pub is of another version");
  if (!key || key->size() != out.key.size()) return fail(Errc::corrupt, "keys/review.pub is damaged");
  std::copy(key->begin(), key->end(), out.key.begin());
  return out;
}

Result<RecorderView> RecorderView::open(const os::Path& vault) {
  RecorderView out;
  out.layout_ = base::Layout{vault};
  CALLVAULT_TRY_ASSIGN(out.config_, read_config(out.layout_.config()));
  CALLVAULT_TRY_ASSIGN(const auto text, os::read_file(out.layout_.review_public(), 4096));
  CALLVAULT_TRY_ASSIGN(out.review_, decode_review_public(base::as_text(text)));
  CALLVAULT_TRY_ASSIGN(const unsigned mode, os::mode_of(out.layout_.incoming()));
  if ((mode & 0020U) != 0) out.file_mode_ = 0660;
  return out;
}

}  // namespace callvault::keys
