// One line of the journal: what happened, when, by whom, on what. Ids and codes stand in the clear; names, numbers and
// free text stand only in sealed envelopes (docs/format/journal.md). This layer never opens an envelope.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "callvault/clock.h"
#include "callvault/result.h"

namespace callvault::journal {

inline constexpr std::size_t kMaxLineBytes = std::size_t{1} << 20;  // without its newline
inline constexpr std::size_t kMaxEventBytes = 64;
inline constexpr std::size_t kMaxActorBytes = 4096;
inline constexpr std::size_t kMaxActorKeyBytes = 32;
inline constexpr std::size_t kMaxFacts = 64;
inline constexpr std::size_t kMaxFactBytes = 4096;
inline constexpr std::size_t kMaxItems = 16384;
inline constexpr std::size_t kMaxItemBytes = 256;
inline constexpr std::size_t kMaxNoteBytes = 262144;
inline constexpr std::size_t kMaxNoteKeyBytes = 128;

struct Entry {
  Time at{};                                   // years 1970 to 9999
  std::string event{};                         // a-z and _
  std::string actor{};                         // base 64 of a sealed envelope; empty when the system acted
  std::string actor_key{};                     // which monthly staff key sealed it, or `person`: "2026-11"
  std::map<std::string, std::string> facts{};  // keys a-z and _; values ids and codes
  std::vector<std::string> items{};            // ids
  std::string note{};                          // base 64 of a sealed envelope
  std::string note_key{};                      // the recording whose s_0 seals it
  std::string person{};                        // base 64 of a sealed envelope: whom of the staff it is about

  friend bool operator==(const Entry&, const Entry&) = default;
};

// Errc::usage when it could not be read back: sizes, characters, UTF-8.
Result<void> validate(const Entry& entry);

// One line of JSON with sorted keys and without newline; empty fields are left out. These bytes are the leaf.
std::string encode(const Entry& entry);

// Accepts exactly what `encode` writes for a valid entry. Errc::newer_version for a later format, else Errc::corrupt.
Result<Entry> decode(std::string_view line);

}  // namespace callvault::journal
