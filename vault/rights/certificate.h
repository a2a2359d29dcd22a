// Certificates of erasure: a signed note that says what was forgotten, when and how, without a word about a person.
// Whoever has the journal's public key verifies it alone, years later, without the vault. docs/format/journal.md.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "callvault/call_record.h"
#include "callvault/reports.h"
#include "journal/checkpoint.h"

namespace callvault::rights {

struct Certificate {
  std::string origin, controller;
  Tombstone tombstone;
  std::string keeper;  // what became of the old root, in words
  std::string line;    // the tombstone's entry
  journal::Head head;
  std::vector<crypto::Digest> proof;
  std::vector<std::string> not_promised;
};

std::string sign_certificate(const Certificate& certificate, const crypto::Key& signing_seed);

// What it says, once its signature, its entry and the entry's place in the journal agree. Errors: corrupt.
Result<CertificateReport> verify_certificate(std::string_view text, const journal::VerifierKey& key);

}  // namespace callvault::rights
