// Who may act: assessment, accepted duties, an end to their access. S19, S26, GDPR Art. 29 and 32(4).
//
// Once a duty text is set, or vault.toml says policy.require_duties, nobody acts whose assessment does not stand or who
// has not signed the text that is in force. Everything else they ask for is Errc::refused, and journalled.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "callvault/vault.h"

namespace callvault {

// What people sign: confidentiality, and what they may do with recordings.
struct Duty {
  std::uint64_t number = 0;  // of the text; rises with every change
  std::string text;
  std::string sha256;  // in hexadecimal
  Time set_at{};
};

struct AssessOptions {
  std::string name;
  std::optional<Time> date{};   // when they were assessed; default: now
  std::optional<Time> until{};  // the assessment stands till then; none: no end
};

// By an officer. Not of oneself, while another officer is able to. Errors: not_found; usage (an assessment that would
// be over already, or lies ahead).
Result<PersonInfo> person_assess(Vault& vault, const Person& officer, const AssessOptions& options);
// Their access ends at `until`, or has no end; and whatever review key their identity lacks is granted again. By an
// officer.
Result<PersonInfo> person_renew(Vault& vault, const Person& officer, std::string_view name, std::optional<Time> until);
// Signs the duty text that is in force with the person's own key. Errors: not_found (no text is set).
Result<PersonInfo> person_accept(Vault& vault, const Person& person);

// By an officer: from now on everybody has to accept this text, the officer too. UTF-8, 1 to 65,536 bytes.
Result<Duty> duty_set(Vault& vault, const Person& officer, std::string text);
// By anyone whom the vault knows. Errors: not_found (no text is set).
Result<Duty> duty_show(Vault& vault, const Person& person);

}  // namespace callvault
