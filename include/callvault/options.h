// What the verbs of vault.h are asked.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "callvault/audio.h"
#include "callvault/call_record.h"
#include "callvault/passphrase.h"
#include "callvault/retention.h"

namespace callvault {

enum class Role : std::uint8_t { officer = 1, reviewer = 2, evaluator = 4, auditor = 8, operator_ = 16 };
std::string_view to_word(Role);
Result<Role> parse_role(std::string_view word);

struct InitOptions {
  std::filesystem::path dir;
  std::string organisation;
  std::string time_zone = "Europe/Bucharest";  // IANA name
  std::string country_code = "+40";            // completes national numbers
  std::string retention = "6mo";
  std::optional<std::filesystem::path> keeper;  // default: the sibling DIR.keeper
  bool unsafe_keeper = false;                   // accept a place that cannot be shown to forget
  bool unsafe_fast_passphrase = false;          // tests only: a cheap Argon2id
  std::string user = "officer";
  std::string recorder_group;  // Unix group that may record: reads keys/intake, writes incoming/
};

struct OpenOptions {
  std::filesystem::path dir;
  std::optional<std::filesystem::path> keeper;
  std::chrono::seconds lock_timeout{30};
  const Clock* clock = nullptr;  // null: system_clock()
  // Through the keeper's service at this socket. Else in this process; and when this account may not read the vault, at
  // the socket that vault.toml names, or the usual one.
  std::optional<std::filesystem::path> socket{};
};

struct IngestOptions {
  std::filesystem::path vault;
  std::optional<std::filesystem::path> file;  // else `input_fd` is read to its end
  int input_fd = 0;
  AudioFormat audio;
  EncoderOptions encoder;
  Direction direction = Direction::in;
  std::string caller, called, agent, call_id;
  Consent consent = Consent::unknown;        // the caller's
  Consent agent_consent = Consent::unknown;  // the agent's
  // Where in the call the caller's was given, and how: a code of 1 to 32 of a-z, 0-9, '_', '-'.
  std::optional<std::chrono::milliseconds> consent_offset;
  std::string consent_method;
  Basis basis = Basis::consent;
  std::string notice;
  std::optional<bool> notice_played;
  std::optional<Time> started_at;  // default: now
  std::string started_at_text;     // the same as text, read in the vault's zone as Vault::parse_time does
  std::string retention_class = "default";
  const Clock* clock = nullptr;
  // Called once the header is durable; the recording exists from here on.
  std::function<void(const RecordingId&)> on_started;
  // Called when more of the call has become durable: how much of it is, in every track.
  std::function<void(std::chrono::milliseconds)> on_safe;
  // Polled between frames; true = end of call (SIGTERM, SIGINT).
  std::function<bool()> should_stop;
};

struct IngestSummary {
  RecordingId id;
  Time started_at{};
  Time ended_at{};
  std::string started_at_text, ended_at_text;  // RFC 3339 in the vault's zone
  double duration_s = 0;
  std::uint64_t sealed_bytes = 0;  // over all tracks
  Flags flags;
  std::vector<Track> tracks;
};

struct PlayOptions {
  RecordingId id;
  TrackChoice track = TrackChoice::both;
  std::optional<std::chrono::milliseconds> from, to;
  PlayFormat format = PlayFormat::wav;
  Purpose purpose = Purpose::service_quality;
  std::string reason;     // free text, sealed in the journal
  bool exported = false;  // a copy that stays (-o FILE), not a listening
};

struct ConsentChange {
  RecordingId id;
  Party party = Party::caller;
  Consent consent = Consent::granted;  // granted, refused or withdrawn
  std::string evidence;                // free text, sealed in the journal
  // Of a caller's refusal or withdrawal: the agent's voice stays where it is a track of its own, and with it what is
  // known about the call.
  bool keep_agent = false;
};

struct HoldOptions {
  RecordingId id;
  std::string matter;  // sealed: it may name people
  std::optional<Time> until;
};

struct EraseOptions {
  std::vector<RecordingId> ids;
  std::optional<std::string> caller;  // everything of whoever has this number; neither: of the request's person
  std::string request;                // reference of the request, mandatory
  std::string reason;                 // free text, sealed
  bool dry_run = false;
};

// Told now and then how far long work is; `total` is 0 when it is not known.
using Progress = std::function<void(std::uint64_t done, std::uint64_t total)>;

struct PurgeOptions {
  bool dry_run = false;
  std::optional<std::uint64_t> confirm;  // names the plan's count, see docs/CLI.md on wrong clocks
  Progress progress{};
};

struct CheckOptions {
  bool deep = false;  // authenticate every sealed byte
  Progress progress{};
};

struct RecoverOptions {
  std::string give_up;   // a damaged register in whose place an empty one is put: opt-out or aliases
  std::string complete;  // the register of opt-outs, given up before, in which everybody stands again: opt-out
};

struct PersonOptions {
  std::string name;  // a-z, 0-9, '-', '_', '.', at most 32 characters
  std::vector<Role> roles;
  std::optional<Time> until{};  // the end of their access; none: no end
};

}  // namespace callvault
