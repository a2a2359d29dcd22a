#include "journal/checkpoint.h"

#include <charconv>
#include <optional>

#include "base/text.h"

namespace callvault::journal {
namespace {

constexpr std::string_view kDash = "\xe2\x80\x94 ";  // U+2014 and a space
constexpr std::byte kEd25519{1};
constexpr std::size_t kKeyIdBytes = 4;

Error damaged_checkpoint(const char* what) { return fail(Errc::corrupt, std::string("journal checkpoint: ") + what); }

base::Bytes key_id(std::string_view name, const crypto::SigningPublicKey& key) {
  base::Bytes room = base::to_bytes(base::as_bytes(name));
  room.push_back(std::byte{'\n'});
  room.push_back(kEd25519);
  room.insert(room.end(), key.begin(), key.end());
  const crypto::Digest digest = crypto::sha256(room);
  return {digest.begin(), digest.begin() + kKeyIdBytes};
}

// Up to the next newline, which is taken too.
std::optional<std::string_view> take_line(std::string_view& text) {
  const auto end = text.find('\n');
  if (end == std::string_view::npos) return std::nullopt;
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(end + 1);
  return line;
}

std::optional<std::uint64_t> read_size(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  if (text.size() > 1 && text.front() == '0') return std::nullopt;
  return value;
}

std::optional<crypto::Digest> read_digest(std::string_view text) {
  const auto bytes = base::from_base64(text);
  if (!bytes || bytes->size() != 32 || base::to_base64(*bytes) != text) return std::nullopt;
  crypto::Digest out{};
  std::copy(bytes->begin(), bytes->end(), out.begin());
  return out;
}

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

std::string make_checkpoint(std::string_view origin, const Head& head, const crypto::Key& signing_seed) {
  std::string out = note_text(origin, head);
  const auto signature = crypto::sign(signing_seed, base::as_bytes(out));
  base::Bytes blob = key_id(origin, crypto::signing_public_key(signing_seed));
  blob.insert(blob.end(), signature.begin(), signature.end());
  out += '\n';
  out += kDash;
  out += origin;
  out += ' ' + base::to_base64(blob) + '\n';
  return out;
}

Result<Checkpoint> parse_checkpoint(std::string_view text, const crypto::SigningPublicKey& key) {
  if (text.size() > kMaxCheckpointBytes) return damaged_checkpoint("longer than it can be");
  for (const char c : text)
    if (c >= 0 && c < 0x20 && c != '\n') return damaged_checkpoint("has a control character");
  const auto blank = text.rfind("\n\n");
  if (blank == std::string_view::npos) return damaged_checkpoint("has no signature");
  const std::string_view note = text.substr(0, blank + 1);
  std::string_view signatures = text.substr(blank + 2);

  std::string_view rest = note;
  const auto origin = take_line(rest);
  const auto size_line = take_line(rest);
  const auto root_line = take_line(rest);
  if (!origin || !size_line || !root_line || !is_origin(*origin))
    return damaged_checkpoint("has no origin, size and root");
  const auto size = read_size(*size_line);
  const auto root = read_digest(*root_line);
  if (!size || !root) return damaged_checkpoint("its size or root is malformed");
  while (!rest.empty())
    if (const auto extension = take_line(rest); !extension || extension->empty())
      return damaged_checkpoint("has an empty line");

  const base::Bytes id = key_id(*origin, key);
  bool verified = false;
  if (signatures.empty()) return damaged_checkpoint("has no signature");
  while (!signatures.empty()) {
    auto line = take_line(signatures);
    if (!line || !line->starts_with(kDash)) return damaged_checkpoint("has a malformed signature line");
    line->remove_prefix(kDash.size());
    const auto space = line->find(' ');
    if (space == std::string_view::npos || space == 0) return damaged_checkpoint("has a malformed signature line");
    const auto blob = base::from_base64(line->substr(space + 1));
    if (!blob || blob->size() < kKeyIdBytes) return damaged_checkpoint("has a malformed signature line");
    const base::ByteView view(*blob);
    if (line->substr(0, space) != *origin || !crypto::equal(view.first(kKeyIdBytes), id)) continue;
    crypto::Signature signature{};
    if (view.size() != kKeyIdBytes + signature.size()) return damaged_checkpoint("its signature is malformed");
    std::copy(view.begin() + kKeyIdBytes, view.end(), signature.begin());
    if (!crypto::verify(key, base::as_bytes(note), signature))
      return damaged_checkpoint("its signature is not genuine");
    verified = true;
  }
  if (!verified) return damaged_checkpoint("it is not signed by the journal's key");
  return Checkpoint{.origin = std::string(*origin), .head = {.size = *size, .root = *root}};
}

std::string encode_verifier_key(std::string_view origin, const crypto::SigningPublicKey& key) {
  base::Bytes blob{kEd25519};
  blob.insert(blob.end(), key.begin(), key.end());
  return std::string(origin) + '+' + base::to_hex(key_id(origin, key)) + '+' + base::to_base64(blob);
}

Result<VerifierKey> parse_verifier_key(std::string_view text) {
  const auto bad = [] { return fail(Errc::corrupt, "journal public key: malformed"); };
  const auto first = text.find('+');
  if (first == std::string_view::npos || !is_origin(text.substr(0, first))) return bad();
  const auto second = text.find('+', first + 1);
  if (second == std::string_view::npos) return bad();
  const auto blob = base::from_base64(text.substr(second + 1));
  VerifierKey out{.name = std::string(text.substr(0, first))};
  if (!blob || blob->size() != 1 + out.key.size() || blob->front() != kEd25519) return bad();
  std::copy(blob->begin() + 1, blob->end(), out.key.begin());
  // The id ties name and key together, and the whole text has one spelling only.
  if (encode_verifier_key(out.name, out.key) != text) return bad();
  return out;
}

}  // namespace callvault::journal
