#include "journal/checkpoint.h"

#include <algorithm>

#include "base/text.h"
#include "journal/note.h"

namespace callvault::journal {
namespace {

constexpr std::byte kKeyType{1};
constexpr std::string_view kWhat = "journal checkpoint";

Error damaged_checkpoint(const char* what) { return fail(Errc::corrupt, std::string(kWhat) + ": " + what); }

std::string note_text(std::string_view origin, const Head& head) {
  std::string out(origin);
  out += '\n' + std::to_string(head.size) + '\n' + base::to_base64(head.root) + '\n';
  return out;
}

}  // namespace

bool is_origin(std::string_view origin) {
  return !origin.empty() && origin.size() <= kMaxOriginBytes &&
         std::all_of(origin.begin(), origin.end(), [](char c) { return c > 0x20 && c < 0x7f && c != '+'; });
}

std::string make_checkpoint(std::string_view origin, const Head& head, const crypto::Signer& signer) {
  return sign_note(note_text(origin, head), origin, signer);
}

std::string make_checkpoint(std::string_view origin, const Head& head, const crypto::Key& signing_seed) {
  return make_checkpoint(origin, head, crypto::Signer(signing_seed));
}

Result<Checkpoint> parse_checkpoint(std::string_view text, const crypto::SigningPublicKey& key) {
  if (text.size() > kMaxCheckpointBytes) return damaged_checkpoint("longer than it can be");
  CALLVAULT_TRY_ASSIGN(const Note note, split_note(text, kWhat));
  std::string_view rest = note.body;
  const auto origin = take_line(rest);
  const auto size_line = take_line(rest);
  const auto root_line = take_line(rest);
  if (!origin || !size_line || !root_line || !is_origin(*origin))
    return damaged_checkpoint("has no origin, size and root");
  const auto size = read_decimal(*size_line);
  const auto root = read_base64_digest(*root_line);
  if (!size || !root) return damaged_checkpoint("its size or root is malformed");
  while (!rest.empty())
    if (const auto extension = take_line(rest); !extension || extension->empty())
      return damaged_checkpoint("has an empty line");
  CALLVAULT_TRY(verify_note(note, *origin, key, kWhat));
  return Checkpoint{.origin = std::string(*origin), .head = {.size = *size, .root = *root}};
}

std::string encode_verifier_key(std::string_view origin, const crypto::SigningPublicKey& key) {
  base::Bytes blob{kKeyType};
  blob.insert(blob.end(), key.begin(), key.end());
  return std::string(origin) + '+' + base::to_hex(note_key_id(origin, key)) + '+' + base::to_base64(blob);
}

Result<VerifierKey> parse_verifier_key(std::string_view text) {
  const auto bad = [] { return fail(Errc::corrupt, "journal public key: malformed"); };
  const auto first = text.find('+');
  if (first == std::string_view::npos || !is_origin(text.substr(0, first))) return bad();
  const auto second = text.find('+', first + 1);
  if (second == std::string_view::npos) return bad();
  const auto blob = base::from_base64(text.substr(second + 1));
  VerifierKey out{.name = std::string(text.substr(0, first))};
  if (!blob || blob->size() != 1 + out.key.size() || blob->front() != kKeyType) return bad();
  std::copy(blob->begin() + 1, blob->end(), out.key.begin());
  // The id ties name and key together, and the whole text has one spelling only.
  if (encode_verifier_key(out.name, out.key) != text) return bad();
  return out;
}

}  // namespace callvault::journal
