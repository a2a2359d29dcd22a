#include "rights/certificate.h"

#include <algorithm>

#include "base/civil_time.h"
#include "base/text.h"
#include "context/tombstones.h"
#include "journal/entry.h"
#include "journal/note.h"

namespace callvault::rights {
namespace {

constexpr std::string_view kTitle = "CERTIFICATE OF ERASURE";
constexpr std::string_view kWhat = "certificate";
constexpr std::size_t kMaxHashes = 128;

Error damaged(const char* why) { return fail(Errc::corrupt, std::string(kWhat) + ": " + why); }

// One line, whatever a configuration file holds.
std::string one_line(std::string text) {
  std::replace_if(
      text.begin(), text.end(), [](char c) { return (c >= 0 && c < 0x20) || c == 0x7f; }, ' ');
  return text;
}

std::optional<std::string_view> field(std::string_view line, std::string_view label) {
  if (!line.starts_with(label)) return std::nullopt;
  return line.substr(label.size());
}

std::optional<crypto::Digest> read_hex_digest(std::string_view text) {
  const auto bytes = base::from_hex(text);
  if (!bytes || bytes->size() != 32) return std::nullopt;
  crypto::Digest out{};
  std::copy(bytes->begin(), bytes->end(), out.begin());
  return out;
}

// "12: {...}"
struct Numbered {
  std::uint64_t number = 0;
  std::string_view rest;
};
std::optional<Numbered> numbered(std::string_view text, std::string_view between) {
  const auto at = text.find(between);
  if (at == std::string_view::npos) return std::nullopt;
  const auto number = journal::read_decimal(text.substr(0, at));
  if (!number) return std::nullopt;
  return Numbered{*number, text.substr(at + between.size())};
}

struct Read {
  std::optional<Numbered> entry, head;
  bool sound = true;
};

// What cannot be read is left out, and then the text made again is another one.
Read read_fields(std::string_view body, Certificate& out) {
  Read read;
  while (const auto line = journal::take_line(body)) {
    if (const auto vault = field(*line, "vault: ")) out.origin = std::string(*vault);
    if (const auto who = field(*line, "controller: ")) out.controller = std::string(*who);
    if (const auto keeper = field(*line, "keeper: ")) out.keeper = std::string(*keeper);
    if (const auto what = field(*line, "  - ")) out.not_promised.emplace_back(*what);
    if (const auto entry = field(*line, "journal entry ")) read.entry = numbered(*entry, ": ");
    if (const auto head = field(*line, "journal size ")) read.head = numbered(*head, ", root ");
    if (const auto hash = field(*line, "proof ")) {
      const auto digest = read_hex_digest(*hash);
      read.sound = read.sound && digest && out.proof.size() < kMaxHashes;
      if (read.sound) out.proof.push_back(*digest);
    }
  }
  return read;
}

std::string text_of(const Certificate& c) {
  const Tombstone& t = c.tombstone;
  std::string text(kTitle);
  text += "\nvault: " + c.origin + "\n";
  text += "controller: " + one_line(c.controller) + "\n";
  text += "recording: " + t.id.text() + "\n";
  text += "call day: " + t.start_day + ", " + std::to_string(t.duration_s) + " s\n";
  text += "shredded: " + base::utc_text(t.shredded_at) + ", reason " + t.reason + ", root epoch " +
          std::to_string(t.epoch) + "\n";
  text += "keeper: " + one_line(c.keeper) + "\n";
  text += "journal entry " + std::to_string(t.journal_index) + ": " + c.line + "\n";
  text += "journal size " + std::to_string(c.head.size) + ", root " + base::to_hex(c.head.root) + "\n";
  for (const auto& hash : c.proof) text += "proof " + base::to_hex(hash) + "\n";
  text += "This certificate shows that the procedure ran. It cannot show that no copy exists of:\n";
  for (const auto& what : c.not_promised) text += "  - " + what + "\n";
  return text;
}

}  // namespace

std::string sign_certificate(const Certificate& c, const crypto::Key& signing_seed) {
  return journal::sign_note(text_of(c), c.origin, signing_seed);
}

Result<CertificateReport> verify_certificate(std::string_view text, const journal::VerifierKey& key) {
  CALLVAULT_TRY_ASSIGN(const auto note, journal::split_note(text, kWhat));
  CALLVAULT_TRY(journal::verify_note(note, key.name, key.key, kWhat));
  if (!note.body.starts_with(std::string(kTitle) + "\n")) return damaged("it is signed, but no certificate");
  Certificate c;
  const Read read = read_fields(note.body, c);
  if (c.origin != key.name) return damaged("it is of another vault than the key");
  const auto root = read.head ? read_hex_digest(read.head->rest) : std::nullopt;
  if (!read.entry || !root || !read.sound) return damaged("its entry, size, root or proof is malformed");
  c.line = std::string(read.entry->rest);
  c.head = {read.head->number, *root};
  const auto entry = journal::decode(c.line);
  if (!entry || entry->event != context::kTombstoneEvent) return damaged("its entry is no tombstone");
  CALLVAULT_TRY_ASSIGN(c.tombstone, context::decode_tombstone(read.entry->number, *entry));
  if (text_of(c) != note.body) return damaged("it says something else than its entry");
  if (!journal::verify_inclusion(journal::leaf_hash(c.line), read.entry->number, c.head, c.proof))
    return damaged("its entry is not in the journal it names");
  return CertificateReport{c.origin, c.controller, c.tombstone, c.keeper, c.head.size, base::to_hex(c.head.root)};
}

}  // namespace callvault::rights
