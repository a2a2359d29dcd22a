// The append-only log of the vault's life: lines in `entries` are the truth, `checkpoint` signs them, `offsets` and
// `hashes` can be made again from them. Format: docs/format/journal.md.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "crypto/sign.h"
#include "journal/checkpoint.h"
#include "journal/entry.h"
#include "journal/merkle.h"
#include "os/file.h"

namespace callvault::journal {

class Memory;

struct VerifyReport {
  Head head;                             // of all complete entries, from the entries alone
  std::optional<Checkpoint> checkpoint;  // the last signed one, when it is authentic
  bool checkpoint_ok = false;            // authentic, and the tree's root at its size
  std::uint64_t unsigned_entries = 0;    // behind the checkpoint: a crash came before its renewal; no fault
  std::uint64_t torn_bytes = 0;          // of an append that was cut short and never acknowledged; no fault
  bool derived_ok = false;  // offsets and hashes are right for all that is signed; else rebuild_derived; no fault
  std::vector<std::string> derived_wrong{};  // which are not, when the checkpoint is authentic
  std::vector<std::string> problems{};       // empty: nothing was changed
};

// Readers take no lock, write nothing and work on a read-only copy, even without a checkpoint; they see a prefix that
// is at least as long as whatever was acknowledged before they began. Errors: Errc::corrupt when the journal is
// damaged, not_found past its end.
class Journal {
 public:
  // Makes the folder (or fills an empty one), durable. The caller appends the first entry.
  static Result<void> create(const os::Path& folder, std::string_view origin, const crypto::Key& signing_seed);
  // Constant cost.
  static Result<Journal> open(const os::Path& folder);

  // Durable on return; the index of the first. After an error none of them is visible; only a crash right behind a
  // failed write may bring them back. Takes the journal's lock for `patience` (Errc::busy). Refuses to sign when the
  // last checkpoint is missing, not genuine, or contradicted (Errc::corrupt), with a key that is not the journal's, and
  // an entry that is not valid (Errc::usage).
  Result<std::uint64_t> append(std::span<const Entry> entries, const crypto::Key& signing_seed,
                               std::chrono::milliseconds patience);
  Result<std::uint64_t> append(const Entry& entry, const crypto::Key& signing_seed,
                               std::chrono::milliseconds patience) {
    return append(std::span(&entry, 1), signing_seed, patience);
  }

  // Errc::corrupt when the checkpoint is missing or does not verify under key.pub; nothing can be appended then. One
  // that is older than the entries is fine: a crash came before its renewal.
  Result<void> require_checkpoint() const;
  // For `recover`: signs entries that have no checkpoint any more, `entry` (which says so) behind them, durably.
  // Errc::corrupt unless each line is an entry and the tree begins with `remembered`, somebody's who can be trusted.
  Result<std::uint64_t> sign_anew(const Entry& entry, const crypto::Key& signing_seed, const Head& remembered,
                                  std::chrono::milliseconds patience);

  // Keeps room behind the entries for what a shred says, should the disk be full then.
  void keep_room() const;
  // Makes offsets and hashes again from the entries: for `recover`, when verify says they are not ok.
  Result<void> rebuild_derived(std::chrono::milliseconds patience);

  Result<Head> head() const;
  Result<Head> head_at(std::uint64_t size) const;
  // `visit` answers false to stop. O(1) to begin, then a stream.
  using Visitor = std::function<Result<bool>(std::uint64_t index, const Entry& entry)>;
  Result<void> for_each(std::uint64_t first, const Visitor& visit) const;
  Result<void> for_each_back(const Visitor& visit) const;  // newest first
  Result<Entry> entry(std::uint64_t index) const;
  Result<std::string> line(std::uint64_t index) const;  // the leaf's bytes

  // Every proof is checked against the tree before it is handed out. Errc::usage for impossible sizes.
  Result<std::vector<crypto::Digest>> inclusion_proof(std::uint64_t index, std::uint64_t size) const;
  Result<std::vector<crypto::Digest>> consistency_proof(std::uint64_t old_size, std::uint64_t new_size) const;
  // The last signed one, as it stands in the file. Authenticity is `verify`'s matter.
  Result<std::string> checkpoint_text() const;

  // Re-hashes everything from the entries alone, in bounded memory. `at_least`: what someone remembers; the journal may
  // not be shorter, nor another. An error only when it could not be read; what is wrong stands in the report.
  Result<VerifyReport> verify(const crypto::SigningPublicKey& key, std::optional<Head> at_least = std::nullopt) const;

  // Brings the copy in `folder` up to date, durably: all that is signed, and `at_least` so many entries; tells how
  // many. Derived files are left out. What a copy holds already is read and proved; it is only ever added to, unless it
  // is damaged. Errors: those of require_prefix; io, no_space.
  Result<std::uint64_t> copy_to(const os::Path& folder, std::uint64_t at_least) const;
  // Errc::corrupt when a copy there was signed further than this journal goes, or is another one.
  Result<void> require_prefix(const os::Path& folder) const;

  const std::string& origin() const { return origin_; }
  const crypto::SigningPublicKey& public_key() const { return public_key_; }  // from key.pub: not a trust anchor

 private:
  Result<std::uint64_t> write(std::span<const Entry> entries, const crypto::Key& signing_seed, const Head* remembered,
                              std::chrono::milliseconds patience);
  Journal(os::Path folder, std::string origin, const crypto::SigningPublicKey& key);

  os::Path folder_;
  std::string origin_;
  crypto::SigningPublicKey public_key_;
  std::shared_ptr<Memory> memory_;
  bool suspect_ = false;  // a sync failed and the marker could not be made either
};

}  // namespace callvault::journal
