// Proofs for somebody who has the public key and nothing else: that an entry stands in the journal, and that a journal
// only grew since a checkpoint he kept. Short printable texts, each ending in a signed checkpoint. From its third line
// on an inclusion proof is a c2sp.org/tlog-proof, a consistency proof what a c2sp.org/tlog-witness takes.
// docs/format/journal.md.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "journal/checkpoint.h"

namespace callvault::journal {

struct InclusionProof {
  std::uint64_t index = 0;
  std::string line;  // the entry, without its newline
  std::vector<crypto::Digest> hashes;
  std::string checkpoint;  // as signed
};
std::string encode_inclusion(const InclusionProof& proof);

struct ConsistencyProof {
  Head old_head;
  std::vector<crypto::Digest> hashes;
  std::string checkpoint;  // the newer one
};
std::string encode_consistency(const ConsistencyProof& proof);

struct Proven {
  Checkpoint checkpoint;                              // genuine
  std::optional<std::uint64_t> index = std::nullopt;  // of an inclusion
  std::string line{};
  std::optional<Head> old_head = std::nullopt;  // of a consistency
};
// Either kind. Errc::corrupt, saying which, when it is malformed, or proves nothing under this key.
Result<Proven> verify_proof(std::string_view text, const VerifierKey& key);

}  // namespace callvault::journal
