#include "journal/proof.h"

#include "base/text.h"
#include "journal/entry.h"
#include "journal/note.h"

namespace callvault::journal {
namespace {

constexpr std::string_view kInclusion = "callvault inclusion proof v1";
constexpr std::string_view kConsistency = "callvault consistency proof v1";
constexpr std::string_view kTlogProof = "c2sp.org/tlog-proof@v1";
constexpr std::size_t kMaxProofBytes = kMaxLineBytes + kMaxCheckpointBytes + 16384;
constexpr std::size_t kMaxHashes = 128;

Error damaged(const char* what) { return fail(Errc::corrupt, std::string("journal proof: ") + what); }

std::string hash_lines(const std::vector<crypto::Digest>& hashes) {
  std::string out;
  for (const auto& hash : hashes) out += base::to_base64(hash) + '\n';
  return out;
}

// Up to the empty line, which is taken too.
Result<std::vector<crypto::Digest>> take_hashes(std::string_view& text) {
  std::vector<crypto::Digest> out;
  for (;;) {
    const auto line = take_line(text);
    if (line && line->empty()) return out;
    const auto hash = line ? read_base64_digest(*line) : std::nullopt;
    if (!hash || out.size() == kMaxHashes) return damaged("its hashes are malformed");
    out.push_back(*hash);
  }
}

// What stands behind `label` and a space in the next line.
std::optional<std::string_view> take_field(std::string_view& text, std::string_view label) {
  const auto line = take_line(text);
  if (!line || !line->starts_with(label) || line->size() <= label.size() || (*line)[label.size()] != ' ')
    return std::nullopt;
  return line->substr(label.size() + 1);
}

Result<Checkpoint> checkpoint_of(std::string_view text, const VerifierKey& key) {
  CALLVAULT_TRY_ASSIGN(auto out, parse_checkpoint(text, key.key));
  if (out.origin != key.name) return damaged("it is of another journal than the key");
  return out;
}

Result<Proven> verify_inclusion_text(std::string_view rest, const VerifierKey& key) {
  const auto line = take_field(rest, "entry");
  const bool standard = take_line(rest) == "" && take_line(rest) == kTlogProof;
  const auto index = standard ? take_field(rest, "index") : std::nullopt;
  const auto number = index ? read_decimal(*index) : std::nullopt;
  if (!line || !number) return damaged("has no entry and index");
  CALLVAULT_TRY_ASSIGN(const auto hashes, take_hashes(rest));
  Proven out;
  CALLVAULT_TRY_ASSIGN(out.checkpoint, checkpoint_of(rest, key));
  if (!decode(*line)) return damaged("its entry is malformed");
  if (!verify_inclusion(leaf_hash(*line), *number, out.checkpoint.head, hashes))
    return damaged("the entry is not in the journal of its checkpoint");
  out.index = number;
  out.line = std::string(*line);
  return out;
}

Result<Proven> verify_consistency_text(std::string_view rest, const VerifierKey& key) {
  const auto root_text = take_field(rest, "root");
  const auto root = root_text ? read_base64_digest(*root_text) : std::nullopt;
  const auto old = take_line(rest) == "" ? take_field(rest, "old") : std::nullopt;
  const auto size = old ? read_decimal(*old) : std::nullopt;
  if (!size || !root) return damaged("has no older root and size");
  CALLVAULT_TRY_ASSIGN(const auto hashes, take_hashes(rest));
  Proven out;
  CALLVAULT_TRY_ASSIGN(out.checkpoint, checkpoint_of(rest, key));
  out.old_head = Head{*size, *root};
  if (!verify_consistency(*out.old_head, out.checkpoint.head, hashes))
    return damaged("the older journal is not the beginning of the newer one");
  return out;
}

}  // namespace

std::string encode_inclusion(const InclusionProof& proof) {
  return std::string(kInclusion) + "\nentry " + proof.line + "\n\n" + std::string(kTlogProof) + "\nindex " +
         std::to_string(proof.index) + '\n' + hash_lines(proof.hashes) + '\n' + proof.checkpoint;
}

std::string encode_consistency(const ConsistencyProof& proof) {
  return std::string(kConsistency) + "\nroot " + base::to_base64(proof.old_head.root) + "\n\nold " +
         std::to_string(proof.old_head.size) + '\n' + hash_lines(proof.hashes) + '\n' + proof.checkpoint;
}

Result<Proven> verify_proof(std::string_view text, const VerifierKey& key) {
  if (text.size() > kMaxProofBytes) return damaged("longer than it can be");
  const auto kind = take_line(text);
  if (kind == kInclusion) return verify_inclusion_text(text, key);
  if (kind == kConsistency) return verify_consistency_text(text, key);
  return damaged("it is none, or of a later version");
}

}  // namespace callvault::journal
