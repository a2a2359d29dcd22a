// Copies of recordings for the people in them (GDPR Art. 15 and 20): who agreed, and what was handed over.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "callvault/call_record.h"

namespace callvault {

// What a party of a call said to handing its recording to another party.
enum class CopyAnswer : std::uint8_t { asked, yes, no, silent };
// wav: the tracks side by side. opus: one track as it is stored. vcon: audio and metadata in one JSON document.
enum class CopyForm : std::uint8_t { wav, opus, vcon };
std::string_view to_word(CopyAnswer);
std::string_view to_word(CopyForm);
// Errc::usage, naming the accepted words, when `word` is none of them.
Result<CopyAnswer> parse_copy_answer(std::string_view word);
Result<CopyForm> parse_copy_form(std::string_view word);

struct PartyAnswer {
  RecordingId recording;
  Party party = Party::caller;
  CopyAnswer answer = CopyAnswer::asked;
  Time at{};
  std::string evidence;  // how it is known; at most 256 bytes
};

struct CopyMade {
  Time at{};
  std::string actor;  // name of a person
  RecordingId recording;
  std::vector<TrackName> tracks;  // none: only what is left of a shredded recording
  CopyForm form = CopyForm::wav;
  std::string recipient;  // to whom it is sealed: "age1...", or "passphrase"
};

}  // namespace callvault
