// What stands beside the audio in what leaves the vault: JSON about the call, the evidence, the instructions. Pure.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/civil_time.h"
#include "callvault/call_record.h"
#include "crypto/sign.h"

namespace callvault::disclosure {

// One audio file: a track as it is stored, Ogg Opus.
struct AudioFile {
  TrackName track = TrackName::mixed;
  std::uint64_t bytes = 0;
  double duration_s = 0;
  bool operator==(const AudioFile&) const = default;
};

// A consent that was noted after the call was recorded, from the journal.
struct ConsentStep {
  std::uint64_t journal_index = 0;
  Time at{};
  std::string party, consent;  // words
  std::string evidence;        // may be empty
};

// A line of the journal that names the recording.
struct AccessStep {
  std::uint64_t journal_index = 0;
  Time at{};
  std::string event;
  std::map<std::string, std::string> facts{};
};

struct Controller {
  std::string organisation, contact;
};

// Who gets a document decides what it says of whom.
enum class Detail : std::uint8_t {
  everything,   // all parties agreed, or an authority asks
  caller_only,  // the agent is nobody ("anonymous"), and the call's other facts stay
  agent_only,
};

std::string recording_json(const CallRecord& record, const std::vector<AudioFile>& files, const base::Zone& zone);
// What the call rests on, as JSON text; `zone` null: times in UTC.
std::string consent_json(const CallRecord& record, const std::vector<ConsentStep>& steps, const base::Zone* zone,
                         Detail detail = Detail::everything);
std::string access_json(const std::vector<AccessStep>& steps, const base::Zone& zone);

struct Bundle {
  Controller controller;
  std::string authority, reference, basis;
  Time at{};
  std::string origin;  // of the journal
  std::vector<RecordingId> ids;
};
std::string disclosure_json(const Bundle& bundle, const base::Zone& zone);
// How to verify the bundle with public tools.
std::string instructions(const Bundle& bundle);

// The key that signs, as every TLS tool reads it: SubjectPublicKeyInfo (RFC 8410) in PEM.
std::string public_key_pem(const crypto::SigningPublicKey& key);

}  // namespace callvault::disclosure
