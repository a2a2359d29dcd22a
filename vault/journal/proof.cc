#include "journal/proof.h"

#include "base/text.h"
#include "journal/entry.h"
#include "journal/note.h"

namespace callvault::journal {
namespace {

constexpr std::string_view kInclusion = "callvault inclusion proof v1";
constexpr std::string_view kConsistency = "callvault consistency proof v1";
constexpr std::size_t kMaxProofBytes = kMaxLineBytes + kMaxCheckpointBytes + 16384;
constexpr std::size_t kMaxHashes = 128;

Error damaged(const char* what) { return fail(Errc::corrupt, std::string("journal proof: ") + what); }

std::string hash_lines(const std::vector<crypto::Digest>& hashes) {
  std::string out;
  for (const auto& hash : hashes) out += base::to_base64(hash) + '\n';
  return out;
}

Result<std::vector<crypto::Digest>> read_hashes(std::string_view text) {
  std::vector<crypto::Digest> out;
  while (!text.empty()) {
    const auto line = take_line(text);
    const auto hash = line ? read_base64_digest(*line) : std::nullopt;
    if (!hash || out.size() == kMaxHashes) return damaged("its hashes are malformed");
    out.push_back(*hash);
  }
  return out;
}

// What stands behind `label` and a space.
std::optional<std::string_view> field(std::optional<std::string_view> line, std::string_view label) {
  if (!line || !line->starts_with(label) || line->size() <= label.size() || (*line)[label.size()] != ' ')
    return std::nullopt;
  return line->substr(label.size() + 1);
}

Result<Proven> verify_inclusion_text(std::string_view head, Proven out) {
  const auto index = field(take_line(head), "index");
  const auto line = field(take_line(head), "entry");
  const auto number = index ? read_decimal(*index) : std::nullopt;
  if (!number || !line) return damaged("has no index and entry");
  CALLVAULT_TRY_ASSIGN(const auto hashes, read_hashes(head));
  if (!decode(*line)) return damaged("its entry is malformed");
  if (!verify_inclusion(leaf_hash(*line), *number, out.checkpoint.head, hashes))
    return damaged("the entry is not in the journal of its checkpoint");
  out.index = number;
  out.line = std::string(*line);
  return out;
}

Result<Proven> verify_consistency_text(std::string_view head, Proven out) {
  const auto old = field(take_line(head), "old");
  const auto space = old ? old->find(' ') : std::string_view::npos;
  if (space == std::string_view::npos) return damaged("has no older size and root");
  const auto size = read_decimal(old->substr(0, space));
  const auto root = read_base64_digest(old->substr(space + 1));
  if (!size || !root) return damaged("its older size or root is malformed");
  CALLVAULT_TRY_ASSIGN(const auto hashes, read_hashes(head));
  out.old_head = Head{*size, *root};
  if (!verify_consistency(*out.old_head, out.checkpoint.head, hashes))
    return damaged("the older journal is not the beginning of the newer one");
  return out;
}

}  // namespace

std::string encode_inclusion(const InclusionProof& proof) {
  return std::string(kInclusion) + "\nindex " + std::to_string(proof.index) + "\nentry " + proof.line + '\n' +
         hash_lines(proof.hashes) + '\n' + proof.checkpoint;
}

std::string encode_consistency(const ConsistencyProof& proof) {
  return std::string(kConsistency) + "\nold " + std::to_string(proof.old_head.size) + ' ' +
         base::to_base64(proof.old_head.root) + '\n' + hash_lines(proof.hashes) + '\n' + proof.checkpoint;
}

Result<Proven> verify_proof(std::string_view text, const VerifierKey& key) {
  if (text.size() > kMaxProofBytes) return damaged("longer than it can be");
  const auto blank = text.find("\n\n");
  if (blank == std::string_view::npos) return damaged("has no checkpoint");
  Proven out;
  CALLVAULT_TRY_ASSIGN(out.checkpoint, parse_checkpoint(text.substr(blank + 2), key.key));
  if (out.checkpoint.origin != key.name) return damaged("it is of another journal than the key");
  std::string_view head = text.substr(0, blank + 1);
  const auto kind = take_line(head);
  if (kind == kInclusion) return verify_inclusion_text(head, std::move(out));
  if (kind == kConsistency) return verify_consistency_text(head, std::move(out));
  return damaged("it is none, or of a later version");
}

}  // namespace callvault::journal
