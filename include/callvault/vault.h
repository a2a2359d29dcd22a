// The public door of callvault: one vault, its verbs. The command of the same name uses nothing else.
//
// Every verb either does what it says, durably, or answers with an Error that says what is safe. Nothing here prints,
// prompts, exits or aborts on input. A Vault is not for use by several threads at once; any number of processes may
// have the same vault open.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "callvault/options.h"
#include "callvault/query.h"
#include "callvault/reports.h"
#include "callvault/rights.h"

namespace callvault {

// A person who proved their passphrase: holds their keys in locked memory. Cannot be copied.
class Person {
 public:
  struct Impl;
  explicit Person(std::unique_ptr<Impl> impl);
  Person(Person&&) noexcept;
  Person& operator=(Person&&) noexcept;
  ~Person();

  const std::string& name() const;
  const Impl& impl() const { return *impl_; }

 private:
  std::unique_ptr<Impl> impl_;
};

// Seals one call, from its first byte to the end of the input. Needs only what a recorder may read:
// vault.toml, keys/intake, keys/review.pub; writes only incoming/.
// Errors: usage, refused (consent refused, start in the future or already expired), no_vault, io, no_space, corrupt
// (an input that yields no audio is `usage`).
Result<IngestSummary> ingest(const IngestOptions& options);

// What a sealed file says without keys.
Result<Inspection> inspect(const std::filesystem::path& file);

// For outsiders, from a copy of a vault's journal/ folder or from texts alone: no keeper, no key state, no passphrase.
// `key` is the journal's public key in verifier form (journal/key.pub), got from somebody who can be trusted. Errors:
// corrupt, not_found (no such entry or folder), io.
Result<CheckpointReport> journal_checkpoint(const std::filesystem::path& journal);
// A printable proof that entry `index` stands in the journal; or that it only grew since the checkpoint `since`.
Result<std::string> journal_prove(const std::filesystem::path& journal, std::uint64_t index);
Result<std::string> journal_prove_since(const std::filesystem::path& journal, std::string_view since);
// `against`: a checkpoint that somebody kept, or empty; the journal must begin with it.
Result<JournalReport> journal_verify_copy(const std::filesystem::path& journal, std::string_view key,
                                          std::string_view against);
Result<LogProofReport> journal_verify_proof(std::string_view proof, std::string_view key, std::string_view against);
Result<CertificateReport> verify_certificate(std::string_view certificate, std::string_view key);

class Vault {
 public:
  // Makes a vault, its keeper and its first person (officer and reviewer).
  static Result<void> create(const InitOptions& options, const Passphrase& passphrase);
  // Errors: no_vault, newer_version, corrupt. Finishes or undoes what a crash left half done.
  static Result<Vault> open(const OpenOptions& options);

  Vault(Vault&&) noexcept;
  Vault& operator=(Vault&&) noexcept;
  ~Vault();

  // Constant cost whether the person exists or not. A failure is journalled. Each verb checks anew what the person may:
  // Errc::refused when the vault does not know them, they are disabled, or lack the role.
  Result<Person> unlock(std::string_view name, const Passphrase& passphrase);

  // A full id, or a unique prefix of at least 6 characters.
  Result<RecordingId> resolve(std::string_view id_or_prefix);
  // RFC 3339, or a date, or date and time in the vault's zone: "2026-11-23", "2026-11-23 14:05".
  Result<Time> parse_time(std::string_view text) const;
  // RFC 3339 in the vault's zone.
  std::string format_time(Time time) const;

  // Newest first. `visit` returns false to stop. Tombstones are visited when the query asks for state gone.
  Result<FindSummary> find(const Person& person, const Query& query,
                           const std::function<bool(const CallRecord&)>& visit);
  // Errors: not_found; gone (then `tombstone` tells what is left).
  Result<CallRecord> show(const Person& person, const RecordingId& id);
  Result<Tombstone> tombstone(const RecordingId& id);  // of many: tombstones()
  Result<PlaySummary> play(const Person& person, const PlayOptions& options, ByteSink& sink);

  // Of a call in progress: from the return of `pause` to that of `resume`, silence is sealed for what is said. Any
  // person may ask for it. Errors: busy when the recorder does not answer within seconds (a pause then stays asked
  // for); refused when the call has ended, or is not paused; not_found, gone.
  Result<void> pause(const Person& person, const RecordingId& id);
  Result<void> resume(const Person& person, const RecordingId& id);
  // A refusal or withdrawal ends the call if it still runs, whatever is kept of it.
  Result<ConsentReport> set_consent(const Person& person, const ConsentChange& change);
  Result<void> hold(const Person& person, const HoldOptions& options);
  // True when an erasure waited for the hold to end, and was carried out. Errors as `restrict`; partly_done.
  Result<bool> unhold(const Person& person, const RecordingId& id, const std::string& matter);
  Result<EraseReport> erase(const Person& person, const EraseOptions& options);
  // Restriction (Art. 18): stored, not opened but for legal_claims, not purged. Errors: not_found, gone, refused (when
  // it is what was asked for already). `reason` is sealed in the journal. True as with `unhold`.
  Result<bool> restrict(const Person& person, const RecordingId& id, bool restricted, const std::string& reason);

  // For the telephone system, and nobody's passphrase.
  Result<MayRecord> may_record(std::string_view number);
  // False when the number was in the register (or, to remove, was not).
  Result<bool> opt_out_add(const Person& person, const OptOutOptions& options);
  Result<bool> opt_out_remove(const Person& person, const OptOutOptions& options);

  // Requests of people. Errors: not_found; refused: role, closed already, too late to extend, a refusal without reason.
  Result<Request> request_open(const Person& person, const RequestOptions& options);
  Result<Request> request_assign(const Person& person, std::string_view id, const std::string& to);
  Result<Request> request_decide(const Person& person, std::string_view id, RequestDecision decision,
                                 const std::string& reason);
  Result<Request> request_extend(const Person& person, std::string_view id, const std::string& reason);
  Result<Request> request_close(const Person& person, std::string_view id, const std::string& note);
  Result<Request> request_show(const Person& person, std::string_view id);
  // By number, newest last. No state: all of them.
  Result<std::vector<Request>> request_list(const Person& person, std::optional<RequestState> state, bool overdue_only);
  Contacts contacts() const;

  // The following need the keeper, and nobody's passphrase.
  Result<PurgeReport> purge(const PurgeOptions& options);
  Result<ProofReport> prove_gone(const RecordingId& id);
  Result<CheckReport> check(const CheckOptions& options);
  Result<RecoverReport> recover(const RecoverOptions& options = {});
  Result<ReindexReport> reindex();
  Result<StatusReport> status();
  Result<DoctorReport> doctor();

  Result<void> person_add(const Person& officer, const PersonOptions& options, const Passphrase& passphrase);
  Result<std::vector<PersonInfo>> person_list(const Person& person);
  Result<PersonInfo> person_show(const Person& person, std::string_view name);
  Result<void> person_passwd(std::string_view name, const Passphrase& old_passphrase, const Passphrase& new_passphrase);
  // A new review key, which the person does not get, seals the calls to come; the keys of before leave their identity.
  // Errors: not_found; refused: the last officer, or oneself (who draws the new key must not be who loses it).
  Result<DisableReport> person_disable(const Person& officer, std::string_view name);

  Result<void> journal_log(const Person& person, const std::function<bool(const JournalLine&)>& visit);
  // `against`: a checkpoint that somebody kept, or empty; the journal must begin with it.
  Result<JournalReport> journal_verify(std::string_view against = {});

  // Further verbs are functions that take a Vault, each family in a header of its own.
  struct Impl;
  Impl& impl() { return *impl_; }
  const Impl& impl() const { return *impl_; }

 private:
  explicit Vault(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// In the order of `ids`. Errors: not_found, naming the first that has none.
Result<std::vector<Tombstone>> tombstones(Vault& vault, const std::vector<RecordingId>& ids);

}  // namespace callvault
