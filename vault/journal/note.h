// Signed notes (https://c2sp.org/signed-note): a text, a blank line, signatures. Checkpoints, proofs and certificates
// are such notes, so any tool of that kind can verify them.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "crypto/hash.h"
#include "crypto/sign.h"

namespace callvault::journal {

inline constexpr std::size_t kMaxNoteTextBytes = std::size_t{2} << 20;

struct Note {
  std::string_view body;  // with its last newline: what is signed
  std::string_view signatures;
};

// REQUIRES: `body` ends in a newline; is_origin(name).
std::string sign_note(std::string_view body, std::string_view name, const crypto::Signer& signer);
std::string sign_note(std::string_view body, std::string_view name, const crypto::Key& signing_seed);

// `what` begins the messages. Errors: corrupt.
Result<Note> split_note(std::string_view text, std::string_view what);
// Errc::corrupt unless one signature is of `name` under `key`, and every such one genuine. Others' are ignored.
Result<void> verify_note(const Note& note, std::string_view name, const crypto::SigningPublicKey& key,
                         std::string_view what);

// The first four bytes of SHA-256(name || newline || 0x01 || key).
base::Bytes note_key_id(std::string_view name, const crypto::SigningPublicKey& key);

// Up to the next newline, which is taken too.
std::optional<std::string_view> take_line(std::string_view& text);
// Of the canonical spelling only.
std::optional<std::uint64_t> read_decimal(std::string_view text);
std::optional<crypto::Digest> read_base64_digest(std::string_view text);

}  // namespace callvault::journal
