// What leaves the vault for somebody outside: copies for the people in a call, bundles for an authority. It is always
// sealed to whom it is for, as an age file (age-encryption.org/v1), and never stands anywhere in the clear.
// docs/format/disclosure.md.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "callvault/audio.h"
#include "callvault/copies.h"
#include "callvault/passphrase.h"
#include "callvault/rights.h"
#include "callvault/vault.h"

namespace callvault {

// Whom it is sealed to: one of the two.
struct SealFor {
  std::string recipient;                   // an age X25519 recipient, "age1..."
  const Passphrase* passphrase = nullptr;  // at least 12 bytes
};

struct CopyOptions {
  RecordingId id;
  std::string request;  // "R-2026-0001"
  Purpose purpose = Purpose::complaint;
  CopyForm form = CopyForm::wav;
  SealFor seal_for;
  std::string reason{};  // free text, sealed in the journal
};

struct CopySummary {
  RecordingId id;
  std::string request;
  CopyForm form = CopyForm::wav;
  std::vector<TrackName> tracks;
  bool whole = false;  // all parties agreed; else the requester's own track
  bool gone = false;   // shredded: only a vCon without personal data was written
  double duration_s = 0;
  std::uint64_t bytes = 0;  // of the sealed file
  bool incomplete = false;  // an interrupted recording: a correct prefix was given
};

// Gives the requester of a granted request for access, a copy or portability a recording. Everything the request and
// the parties' answers decide is decided before the first byte, and journalled; the request's record names the copy.
// Of a shredded recording the form vcon gives what is left. Errors: not_found, gone; refused (role, request, consent,
// purpose: the message says which); usage (recipient, form); corrupt; those of the sink.
Result<CopySummary> copy_recording(Vault& vault, const Person& person, const CopyOptions& options, ByteSink& sink);

struct AnswerOptions {
  std::string request;
  RecordingId recording;
  Party party = Party::caller;
  CopyAnswer answer = CopyAnswer::asked;
  std::string evidence;
};
// Notes what a party of the call said to the copy; the last answer counts. Errors: not_found, gone, refused, usage.
Result<Request> request_answer(Vault& vault, const Person& person, const AnswerOptions& options);
// Says which party of the call the request comes from: that party's answer is yes.
Result<Request> request_requester(Vault& vault, const Person& person, std::string_view request, Party party);

struct DiscloseOptions {
  std::vector<RecordingId> ids;
  std::string authority, reference, basis;  // whom, their file number, the law it rests on; at most 256 bytes each
  SealFor seal_for;
};

struct DisclosureSummary {
  std::vector<RecordingId> ids;
  std::uint64_t files = 0;  // in the bundle
  std::uint64_t bytes = 0;  // of the sealed file
  bool incomplete = false;
};

// One bundle for a competent authority: audio as it is stored, metadata, evidence of consent, who had access, with
// proofs, a list of hashes signed by the vault, and instructions to verify it without callvault. All or nothing.
// Errors: as copy_recording.
Result<DisclosureSummary> disclose(Vault& vault, const Person& person, const DiscloseOptions& options, ByteSink& sink);

}  // namespace callvault
