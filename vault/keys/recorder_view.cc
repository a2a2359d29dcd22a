#include "keys/recorder_view.h"

#include <algorithm>
#include <sstream>

#include "base/text.h"
#include "crypto/hash.h"

namespace callvault::keys {
namespace {

constexpr std::string_view kPrefix = "callvault review key";
constexpr std::size_t kCheckBytes = 8;

// v2, v3 ... as a later callvault would write it.
bool is_later_version(std::string_view word) {
  return word.size() >= 2 && word.size() <= 4 && word.front() == 'v' && word != "v1" && word[1] != '0' &&
         word.find_first_not_of("0123456789", 1) == std::string_view::npos;
}

}  // namespace

std::string encode_review_public(const ReviewPublic& key) {
  std::string text = std::string(kPrefix) + " v1 " + std::to_string(key.number) + " " + base::to_base64(key.key) + " ";
  const auto check = crypto::blake2b(base::as_bytes(text));
  return text + base::to_hex(base::ByteView(check).first(kCheckBytes)) + "\n";
}

Result<ReviewPublic> decode_review_public(std::string_view text) {
  std::istringstream in{std::string(text)};
  in.exceptions(std::ios_base::badbit);  // a lack of memory is no damage
  std::string a, b, c, version, encoded;
  ReviewPublic out;
  in >> a >> b >> c >> version >> out.number >> encoded;
  if (a + " " + b + " " + c != kPrefix) return fail(Errc::corrupt, "keys/review.pub is damaged");
  if (is_later_version(version)) return fail(Errc::newer_version, "keys/review.pub is of a newer version");
  const auto key = base::from_base64(encoded);
  if (!in || !key || key->size() != out.key.size()) return fail(Errc::corrupt, "keys/review.pub is damaged");
  std::copy(key->begin(), key->end(), out.key.begin());
  // One spelling, and the check with it.
  if (encode_review_public(out) != text) return fail(Errc::corrupt, "keys/review.pub is damaged");
  return out;
}

Result<ReviewPublic> read_review_public(const base::Layout& layout) {
  CALLVAULT_TRY_ASSIGN(const auto text, os::read_file(layout.review_public(), 4096));
  return decode_review_public(base::as_text(text));
}

Result<void> replace_review_public(const base::Layout& layout, const ReviewPublic& key) {
  const os::Path path = layout.review_public();
  os::Path fresh = path;
  fresh += ".new";
  const std::string text = encode_review_public(key);
  CALLVAULT_TRY(os::remove_file(fresh));
  CALLVAULT_TRY(os::write_new_file(fresh, base::as_bytes(text)));
  CALLVAULT_TRY(os::make_accessible_as(fresh, path));
  CALLVAULT_TRY(os::rename_file(fresh, path));
  return os::sync_folder(path.parent_path());
}

Result<RecorderView> RecorderView::open(const os::Path& vault) {
  RecorderView out;
  out.layout_ = base::Layout{vault};
  CALLVAULT_TRY_ASSIGN(out.config_, read_config(out.layout_.config()));
  CALLVAULT_TRY(check_location(out.config_.location));
  CALLVAULT_TRY_ASSIGN(out.review_, read_review_public(out.layout_));
  CALLVAULT_TRY_ASSIGN(const unsigned mode, os::mode_of(out.layout_.incoming()));
  if ((mode & 0020U) != 0) out.file_mode_ = 0660;
  return out;
}

}  // namespace callvault::keys
