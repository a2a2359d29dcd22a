// The text form of the register of people: JSON, docs/format/keys.md.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "callvault/people.h"
#include "crypto/sign.h"

namespace callvault::rights {

// A person's own signature under a duty text.
struct Acceptance {
  std::uint64_t number = 0;  // of the text
  std::string sha256;        // of the text, in hexadecimal
  Time at{};
  crypto::Signature signature{};
};

struct PersonRecord {
  std::optional<Time> assessed_at{}, assessed_until{}, expires_at{};
  std::vector<Acceptance> acceptances{};  // oldest first
};

struct PeopleContent {
  std::optional<Duty> duty{};
  std::map<std::string, PersonRecord> people{};  // by name
};

std::string encode_people(const PeopleContent& content);
// Errors: corrupt, newer_version.
Result<PeopleContent> decode_people(std::string_view text);

}  // namespace callvault::rights
