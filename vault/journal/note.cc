#include "journal/note.h"

#include <algorithm>
#include <charconv>

#include "base/text.h"

namespace callvault::journal {
namespace {

constexpr std::string_view kDash = "\xe2\x80\x94 ";  // U+2014 and a space
constexpr std::byte kEd25519{1};
constexpr std::size_t kKeyIdBytes = 4;

Error damaged(std::string_view what, const char* why) { return fail(Errc::corrupt, std::string(what) + ": " + why); }

}  // namespace

base::Bytes note_key_id(std::string_view name, const crypto::SigningPublicKey& key) {
  base::Bytes room = base::to_bytes(base::as_bytes(name));
  room.push_back(std::byte{'\n'});
  room.push_back(kEd25519);
  room.insert(room.end(), key.begin(), key.end());
  const crypto::Digest digest = crypto::sha256(room);
  return {digest.begin(), digest.begin() + kKeyIdBytes};
}

std::optional<std::string_view> take_line(std::string_view& text) {
  const auto end = text.find('\n');
  if (end == std::string_view::npos) return std::nullopt;
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(end + 1);
  return line;
}

std::optional<std::uint64_t> read_decimal(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  if (text.size() > 1 && text.front() == '0') return std::nullopt;
  return value;
}

std::optional<crypto::Digest> read_base64_digest(std::string_view text) {
  const auto bytes = base::from_base64(text);
  if (!bytes || bytes->size() != 32 || base::to_base64(*bytes) != text) return std::nullopt;
  crypto::Digest out{};
  std::copy(bytes->begin(), bytes->end(), out.begin());
  return out;
}

std::string sign_note(std::string_view body, std::string_view name, const crypto::Signer& signer) {
  const auto signature = signer.sign(base::as_bytes(body));
  base::Bytes blob = note_key_id(name, signer.public_key());
  blob.insert(blob.end(), signature.begin(), signature.end());
  std::string out(body);
  out += '\n';
  out += kDash;
  out += name;
  out += ' ' + base::to_base64(blob) + '\n';
  return out;
}

std::string sign_note(std::string_view body, std::string_view name, const crypto::Key& signing_seed) {
  return sign_note(body, name, crypto::Signer(signing_seed));
}

Result<Note> split_note(std::string_view text, std::string_view what) {
  if (text.size() > kMaxNoteTextBytes) return damaged(what, "longer than it can be");
  for (const char c : text)
    if (c >= 0 && c < 0x20 && c != '\n') return damaged(what, "has a control character");
  const auto blank = text.rfind("\n\n");
  if (blank == std::string_view::npos || blank + 2 == text.size()) return damaged(what, "has no signature");
  return Note{text.substr(0, blank + 1), text.substr(blank + 2)};
}

Result<void> verify_note(const Note& note, std::string_view name, const crypto::SigningPublicKey& key,
                         std::string_view what) {
  const base::Bytes id = note_key_id(name, key);
  std::string_view signatures = note.signatures;
  bool verified = false;
  while (!signatures.empty()) {
    auto line = take_line(signatures);
    if (!line || !line->starts_with(kDash)) return damaged(what, "has a malformed signature line");
    line->remove_prefix(kDash.size());
    const auto space = line->find(' ');
    if (space == std::string_view::npos || space == 0) return damaged(what, "has a malformed signature line");
    const auto blob = base::from_base64(line->substr(space + 1));
    if (!blob || blob->size() < kKeyIdBytes) return damaged(what, "has a malformed signature line");
    const base::ByteView view(*blob);
    if (line->substr(0, space) != name || !crypto::equal(view.first(kKeyIdBytes), id)) continue;
    crypto::Signature signature{};
    if (view.size() != kKeyIdBytes + signature.size()) return damaged(what, "its signature is malformed");
    std::copy(view.begin() + kKeyIdBytes, view.end(), signature.begin());
    if (!crypto::verify(key, base::as_bytes(note.body), signature))
      return damaged(what, "its signature is not genuine");
    verified = true;
  }
  if (!verified) return damaged(what, "it is not signed by the journal's key");
  return {};
}

}  // namespace callvault::journal
