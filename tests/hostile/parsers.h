// Everything that reads bytes or text from outside, under the names that the vectors use.
#pragma once

#include <functional>
#include <map>
#include <string>

#include "base/bytes.h"
#include "callvault/error.h"

namespace callvault::hostile {

struct Answer {
  std::string word;   // "ok", or an error's word
  std::string gives;  // what was read, shortly
  std::string message;
};

using Parser = std::function<Answer(base::ByteView)>;
using Parsers = std::map<std::string, Parser>;

inline Answer refusal(const Error& error) { return {std::string(errc_name(error.code)), {}, error.message}; }
inline Answer accepted(std::string gives = {}) { return {"ok", std::move(gives), {}}; }

void add_text_parsers(Parsers& to);       // dates, numbers, ids, names, positions
void add_audio_parsers(Parsers& to);      // WAV and friends, Opus pages
void add_recording_parsers(Parsers& to);  // sealed files and their parts
void add_key_parsers(Parsers& to);        // key state, configuration, identities, shares
void add_office_parsers(Parsers& to);     // registers, backups, recipients, what a caller sends to the service
void add_journal_parsers(Parsers& to);    // entries, checkpoints, proofs, certificates

}  // namespace callvault::hostile
