// What the verbs of vault.h answer.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "callvault/call_record.h"
#include "callvault/options.h"
#include "callvault/retention.h"

namespace callvault {

struct FindSummary {
  std::uint64_t found = 0;
  std::uint64_t unsettled = 0;  // recordings that the catalogue does not know yet
};

struct PlaySummary {
  RecordingId id;
  std::vector<TrackName> tracks;
  std::uint32_t sample_rate = 0;
  double from_s = 0, to_s = 0;
  std::uint64_t bytes = 0;  // given to the sink
  bool incomplete = false;  // an interrupted recording: a correct prefix was given
};

struct ItemOutcome {
  RecordingId id;
  bool done = false;
  Errc code = Errc::unexpected;  // when not done
  std::string reason;            // a code or a sentence
  bool deferred = false;         // an erasure that is carried out once a hold or a restriction ends
};

struct ConsentReport {
  RecordingId id;
  bool ended = false;  // the call was in progress
  bool shredded = false;
  bool agent_kept = false;   // only the caller's voice was
  std::string kept_because;  // basis, hold; empty when shredded or granted
  bool opted_out = false;    // a withdrawal: the number is not recorded any more
};

struct EraseReport {
  std::vector<ItemOutcome> items;
  bool dry_run = false;
  std::uint64_t epoch = 0;  // the root key from which the shredded cannot be reached
  // Of an erasure by number: calls in incoming/ that cannot be read, so nobody knows whose they are.
  std::uint64_t unreadable = 0;
  bool opted_out = false;               // the person withdrew or objected: their numbers are not recorded any more
  std::vector<std::string> problems{};  // registers that could not be asked
  double irrecoverable_ms = 0;          // from the start of the rotation to the wipe of the old root
  double cleaned_ms = 0;                // ... to the end of unlinking
};

struct PurgeReport {
  bool dry_run = false;
  std::vector<PlannedItem> plan;  // in a dry run: every recording that is due or refused, with its reason
  std::uint64_t settled = 0, kept = 0, expired = 0, refused = 0, shredded = 0, outstanding = 0;
  std::uint64_t buckets_rewritten = 0, buckets_dropped = 0;
  std::uint64_t epoch = 0;
  std::uint64_t unsettled = 0;                // finished calls that could not be settled: a full disk, or damage
  std::vector<std::string> problems{};        // which, and what is wrong
  std::vector<std::string> damaged{};         // registers that could not be pruned, and why
  std::vector<std::string> mirrors_behind{};  // keepers without which what is outstanding is not final
  double irrecoverable_ms = 0;                // from the start of the rotation to the wipe of the old root
  double cleaned_ms = 0;                      // ... to the end of unlinking
};

struct ProofStep {
  std::string what;  // "tombstone", "journal proof", "open as keeper", "scan"
  bool passed = false;
  std::string detail;
};

struct ProofReport {
  RecordingId id;
  bool gone = false;
  std::optional<Tombstone> tombstone;
  std::vector<ProofStep> steps;
  std::string certificate;            // printable; without personal data
  std::vector<std::string> not_seen;  // what these checks cannot see
};

// What a verified certificate of erasure says.
struct CertificateReport {
  std::string origin, controller;
  Tombstone tombstone;
  std::string keeper;  // what became of the old root key, in words
  std::uint64_t journal_size = 0;
  std::string root_hex;
};

struct CheckReport {
  std::uint64_t recordings = 0, files = 0, unsettled = 0, chunks = 0;
  std::vector<std::string> problems;  // each: what, on which object, what to do
  std::vector<std::string> notes;     // no fault, but `recover` mends it: derived files that are behind or damaged
};

struct RecoverReport {
  std::uint64_t interrupted_sealed = 0;  // half recordings made whole
  std::uint64_t settled = 0;
  std::uint64_t rotations_finished = 0, rotations_undone = 0;
  std::uint64_t refused = 0;            // unreadable headers, left where they are
  std::vector<std::string> problems{};  // which, and what is wrong
  bool journal_signed = false;          // its checkpoint was missing or did not verify; signed anew, and journalled
  std::uint64_t finalised = 0;          // shreds that waited for a mirror which is back
  bool journal_rebuilt = false;         // offsets or hashes were missing or wrong; made again from the entries
  std::string given_up{};               // the register that was
};

struct ReindexReport {
  std::uint64_t recordings = 0, tombstones = 0;
  std::vector<std::string> problems;  // recordings without details: found by date and id, not by number or name
};

struct StatusReport {
  std::string organisation, time_zone;
  std::uint64_t recordings = 0, held = 0, unsettled = 0, in_progress = 0;
  std::uint64_t overdue = 0;      // past expiry and not held
  std::uint64_t outstanding = 0;  // shreds asked for and not yet final
  std::uint64_t deferred = 0;     // erasures that wait for a hold or a restriction to end
  std::uint64_t shredded = 0;     // over the vault's life: its tombstones
  // None where the register cannot be read.
  std::optional<std::uint64_t> requests_open, requests_overdue;
  std::optional<std::uint64_t> breaches_open, breaches_overdue;
  std::optional<std::uint64_t> opted_out;     // numbers
  std::vector<std::string> damaged;           // registers that are damaged or incomplete: what, and what to do
  std::vector<std::string> mirrors_behind{};  // keepers that were not there at a rotation; shreds wait for them
  std::string keeper_lost{};                  // why a mirror opened the vault; empty: its first keeper did
  std::string measures_review;                // date: when the measures are to be reviewed; empty: not set
  bool measures_review_due = false;
  std::optional<Time> next_expiry, last_purge;
  std::uint64_t epoch = 0, journal_size = 0;
  std::uint64_t buckets = 0;
};

struct DoctorFinding {
  enum class Level : std::uint8_t { ok, warning, danger } level = Level::ok;
  std::string subject;  // keeper, swap, core dumps, clock, permissions ...
  std::string message;
};

struct DoctorReport {
  std::vector<DoctorFinding> findings;
};

struct PersonInfo {
  std::string name;
  std::vector<Role> roles;
  bool disabled = false;
  Time since{};
  std::vector<Purpose> purposes{};   // what they may open recordings for
  std::optional<Time> expires_at{};  // the end of their access
  std::optional<Time> assessed_at{}, assessed_until{};
  std::uint64_t duty_number = 0;      // of the text that is in force; 0: none
  bool accepted = false;              // that text, with a signature that is theirs
  std::uint64_t accepted_number = 0;  // of the text they accepted last; 0: none
  std::optional<Time> accepted_at{};
  std::string state{};  // active, disabled, expired, not_assessed, duties
};

struct DisableReport {
  bool was_disabled = false;            // before; then only what is left of their keys was taken
  std::uint32_t review_key = 0;         // number of the new one; 0: none was needed
  std::vector<std::string> problems{};  // whose identity could not be granted it, and why
};

struct JournalLine {
  std::uint64_t index = 0;
  Time at{};
  std::string event;
  std::string actor;                         // empty when the system acted
  std::map<std::string, std::string> facts;  // ids and codes
  std::string note;                          // opened envelope; "(gone)" when its recording is
  std::string person{};                      // whom of the staff it is about; empty when it is about nobody
};

struct CheckpointReport {
  std::string origin;
  std::uint64_t size = 0;
  std::string root_hex;
  std::string text;        // the signed note: origin, size, root, signature
  std::string public_key;  // in verifier form; whoever verifies must have got it elsewhere
};

// What a proof for outsiders shows.
struct LogProofReport {
  std::string origin;
  std::uint64_t size = 0;  // of the journal that the proof leads to
  std::string root_hex;
  std::optional<std::uint64_t> index;  // of an entry that stands in it ...
  std::string entry;                   // ... and its line
  std::optional<std::uint64_t> since;  // or: it begins with the journal of this size
};

struct JournalReport {
  std::uint64_t size = 0;
  std::string root_hex;
  bool checkpoint_ok = false;
  std::vector<std::string> problems;
};

struct Inspection {
  std::uint32_t format_version = 0;
  RecordingId id;
  TrackName track = TrackName::mixed;
  std::uint16_t segment = 0;
  std::uint32_t intake_key = 0, review_key = 0;
  std::uint64_t header_bytes = 0, chunks = 0, file_bytes = 0;
  bool finished = false;         // has a trailer
  std::uint64_t torn_bytes = 0;  // after the last whole chunk
};

}  // namespace callvault
