// What an outsider can be shown, and can verify alone: checkpoints, proofs, certificates of erasure.
#include "base/text.h"
#include "journal/journal.h"
#include "journal/proof.h"
#include "over_socket.h"
#include "rights/certificate.h"
#include "session.h"

namespace callvault {
namespace {

Result<journal::Journal> open_journal(const os::Path& folder) {
  auto opened = journal::Journal::open(folder);
  if (!opened && opened.error().code == Errc::not_found)
    return fail(Errc::not_found, "no journal in " + folder.string());
  return opened;
}

Result<journal::VerifierKey> read_key(std::string_view text) {
  while (text.ends_with('\n')) text.remove_suffix(1);
  return journal::parse_verifier_key(text);
}

// The signed head, which is what proofs lead to: entries behind it are not signed yet.
struct Signed {
  std::string text;
  journal::Checkpoint checkpoint;
};
Result<Signed> signed_head(const journal::Journal& log) {
  Signed out;
  CALLVAULT_TRY_ASSIGN(out.text, log.checkpoint_text());
  CALLVAULT_TRY_ASSIGN(out.checkpoint, journal::parse_checkpoint(out.text, log.public_key()));
  return out;
}

Result<journal::Head> kept_head(std::string_view text, const std::string& origin, const crypto::SigningPublicKey& key) {
  auto kept = journal::parse_checkpoint(text, key);
  if (!kept) return fail(kept.error().code, "the checkpoint to compare with: " + kept.error().message);
  if (kept->origin != origin) return fail(Errc::corrupt, "the checkpoint to compare with is of another journal");
  return kept->head;
}

JournalReport report_of(const journal::VerifyReport& verified) {
  JournalReport out;
  out.size = verified.head.size;
  out.root_hex = base::to_hex(verified.head.root);
  out.checkpoint_ok = verified.checkpoint_ok;
  out.problems = verified.problems;
  return out;
}

}  // namespace

Result<CheckpointReport> journal_checkpoint(const std::filesystem::path& folder) {
  CALLVAULT_TRY_ASSIGN(const auto log, open_journal(folder));
  CALLVAULT_TRY_ASSIGN(const Signed head, signed_head(log));
  return CheckpointReport{head.checkpoint.origin, head.checkpoint.head.size, base::to_hex(head.checkpoint.head.root),
                          head.text, journal::encode_verifier_key(log.origin(), log.public_key())};
}

Result<std::string> journal_prove(const std::filesystem::path& folder, std::uint64_t index) {
  CALLVAULT_TRY_ASSIGN(const auto log, open_journal(folder));
  CALLVAULT_TRY_ASSIGN(const Signed head, signed_head(log));
  const std::uint64_t size = head.checkpoint.head.size;
  if (index >= size)
    return fail(Errc::not_found, "journal: there is no entry " + std::to_string(index) + " among the " +
                                     std::to_string(size) + " that are signed");
  journal::InclusionProof proof{index, {}, {}, head.text};
  CALLVAULT_TRY_ASSIGN(proof.line, log.line(index));
  CALLVAULT_TRY_ASSIGN(proof.hashes, log.inclusion_proof(index, size));
  std::string out = journal::encode_inclusion(proof);
  CALLVAULT_TRY(journal::verify_proof(out, {log.origin(), log.public_key()}));
  return out;
}

Result<std::string> journal_prove_since(const std::filesystem::path& folder, std::string_view since) {
  CALLVAULT_TRY_ASSIGN(const auto log, open_journal(folder));
  CALLVAULT_TRY_ASSIGN(const Signed head, signed_head(log));
  journal::ConsistencyProof proof{{}, {}, head.text};
  CALLVAULT_TRY_ASSIGN(proof.old_head, kept_head(since, log.origin(), log.public_key()));
  if (proof.old_head.size > head.checkpoint.head.size)
    return fail(Errc::corrupt, "journal: it has fewer entries than the checkpoint to compare with");
  CALLVAULT_TRY_ASSIGN(proof.hashes, log.consistency_proof(proof.old_head.size, head.checkpoint.head.size));
  std::string out = journal::encode_consistency(proof);
  CALLVAULT_TRY(journal::verify_proof(out, {log.origin(), log.public_key()}));
  return out;
}

Result<JournalReport> journal_verify_copy(const std::filesystem::path& folder, std::string_view key_text,
                                          std::string_view against) {
  CALLVAULT_TRY_ASSIGN(const auto key, read_key(key_text));
  CALLVAULT_TRY_ASSIGN(const auto log, open_journal(folder));
  std::optional<journal::Head> at_least;
  if (!against.empty()) {
    CALLVAULT_TRY_ASSIGN(at_least, kept_head(against, key.name, key.key));
  }
  CALLVAULT_TRY_ASSIGN(const auto verified, log.verify(key.key, at_least));
  JournalReport out = report_of(verified);
  if (log.origin() != key.name) out.problems.push_back("the journal is of another origin than the key");
  return out;
}

Result<LogProofReport> journal_verify_proof(std::string_view proof, std::string_view key_text,
                                            std::string_view against) {
  CALLVAULT_TRY_ASSIGN(const auto key, read_key(key_text));
  CALLVAULT_TRY_ASSIGN(const auto proven, journal::verify_proof(proof, key));
  if (!against.empty()) {
    CALLVAULT_TRY_ASSIGN(const auto kept, kept_head(against, key.name, key.key));
    const bool old = proven.old_head && kept == *proven.old_head;
    if (!old && kept != proven.checkpoint.head)
      return fail(Errc::corrupt, "journal proof: it says nothing about the checkpoint to compare with");
  }
  LogProofReport out{proven.checkpoint.origin,
                     proven.checkpoint.head.size,
                     base::to_hex(proven.checkpoint.head.root),
                     proven.index,
                     proven.line,
                     std::nullopt};
  if (proven.old_head) out.since = proven.old_head->size;
  return out;
}

Result<CertificateReport> verify_certificate(std::string_view certificate, std::string_view key_text) {
  CALLVAULT_TRY_ASSIGN(const auto key, read_key(key_text));
  return rights::verify_certificate(certificate, key);
}

Result<JournalReport> Vault::journal_verify(std::string_view against) {
  if (impl_->remote) return only_at_home();
  CALLVAULT_TRY_ASSIGN(const auto session, Session::begin(*impl_, Access::look, ""));
  const auto& directory = session->directory();
  const auto key = crypto::signing_public_key(*directory.journal_seed);
  CALLVAULT_TRY_ASSIGN(const auto verified,
                       impl_->journal->verify(key, journal::Head{directory.journal_size, directory.journal_root}));
  JournalReport out = report_of(verified);
  if (against.empty()) return out;
  CALLVAULT_TRY_ASSIGN(const auto kept, kept_head(against, impl_->journal->origin(), key));
  const auto now = impl_->journal->head_at(kept.size);
  if (!now && now.error().code != Errc::not_found) return now.error();
  if (!now)
    out.problems.push_back("entries are missing: the checkpoint to compare with has " + std::to_string(kept.size));
  else if (now->root != kept.root)
    out.problems.push_back("its first " + std::to_string(kept.size) +
                           " entries are not those of the checkpoint to compare with");
  return out;
}

}  // namespace callvault
