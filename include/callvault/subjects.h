// The people whose calls are recorded: one person by several numbers, and what they may have done with their data
// (GDPR Art. 15, 16 and 18). Erasure (Art. 17) is Vault::erase.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "callvault/vault.h"

namespace callvault {

struct Aliases {
  std::vector<std::string> numbers;  // of one person, ascending; empty: none left together
  std::string request;               // reference of the request it was noted for; may be empty
  bool changed = false;
};

// Numbers that are one person's: what is asked for one is done for all. Errors: usage (fewer than two, or more than 32
// in all), refused: role.
Result<Aliases> alias_add(Vault& vault, const Person& person, const std::vector<std::string>& numbers,
                          const std::string& request);
// Takes a number away; gives those that stay together. Errors: not_found when it is in no group.
Result<Aliases> alias_remove(Vault& vault, const Person& person, std::string_view number);
Result<Aliases> alias_show(Vault& vault, const Person& person, std::string_view number);

// What was corrected in one recording's metadata; its audio is never edited.
struct Rectification {
  RecordingId id;
  std::vector<std::pair<std::string, std::string>> fields;  // caller, called, agent or call_id, and what it ought to be
  std::string request;                                      // reference of the request, mandatory
  std::string note;                                         // free text; sealed in the journal with the old values
};
// Errors: usage (no such field, a value out of bounds), refused (nothing would change, it is being erased, the request
// is not one to rectify), gone, not_found.
Result<CallRecord> rectify(Vault& vault, const Person& person, const Rectification& rectification);

struct RestrictReport {
  std::uint64_t recordings = 0;  // of the person
  std::uint64_t changed = 0;     // restricted, or no longer so
  std::uint64_t erased = 0;      // whose erasure had waited for that
};
// All recordings of the request's person at once. Errors: not_found (no such request, or no recording), refused (not a
// request for it, without a number, or nothing would change).
Result<RestrictReport> restrict_all_of(Vault& vault, const Person& person, std::string_view request, bool restricted,
                                       const std::string& reason);

// Who got to hear or hold a recording, by category.
struct Use {
  std::string event;  // opened, exported, copied (for a party of the call), disclosed (to an authority)
  std::string purpose;
  std::vector<Role> roles;  // that the person who did it has today; none: not known any more
  std::uint64_t times = 0;
  Time first{}, last{};
};

struct AnsweredRecording {
  CallRecord record;
  std::vector<Use> uses;
};

// What a request for access is answered with.
struct Answer {
  Request request;
  Time at{};
  std::string organisation;
  Contacts contacts;
  std::vector<std::string> numbers;  // that were looked for
  std::vector<AnsweredRecording> recordings;
  std::uint64_t unreadable = 0;  // calls in incoming/ that cannot be read, so nobody knows whose they are
};
// Errors: not_found, refused (not a request for access or information, closed, or without a number).
Result<Answer> request_answer(Vault& vault, const Person& person, std::string_view request);

}  // namespace callvault
