// What can go wrong, as the caller sees it. Every public function answers with a Result (result.h).
#pragma once

#include <string>
#include <string_view>
#include <utility>

namespace callvault {

// One enumerator per documented exit code (docs/CLI.md). `not_found`, `gone` and `corrupt` are three
// different answers and are never confused.
enum class Errc {
  unexpected,        // a defect of ours or of the host
  usage,             // the request itself makes no sense
  partly_done,       // some items failed, see the report
  no_vault,          // no vault in this folder
  busy,              // another process holds what we need
  wrong_passphrase,  // or an unknown person: the two are not told apart
  newer_version,     // written by a later callvault
  not_found,         // never existed here
  gone,              // shredded or expired
  corrupt,           // damaged or tampered with
  refused,           // by rule: consent, hold, restriction, role, purpose, clock
  not_gone,          // prove-gone found something
  overdue,           // status: a duty was missed
  io,                // input/output error
  no_space,          // disk full: try later
  interrupted,       // by a signal
};

// The stable word for an error, as it stands in JSON output ("wrong_passphrase").
std::string_view errc_name(Errc code);

struct Error {
  Errc code = Errc::unexpected;
  // Lower case: what failed, on which object. Never a key, passphrase, caller number or audio.
  std::string message;
};

}  // namespace callvault
