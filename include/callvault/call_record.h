// What callvault knows about one recorded call.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "callvault/clock.h"
#include "callvault/result.h"

namespace callvault {

// A random 128-bit number, written as 26 lower-case base-32 characters (RFC 4648 alphabet, no padding).
class RecordingId {
 public:
  static constexpr std::size_t kBytes = 16;
  static constexpr std::size_t kTextLength = 26;

  RecordingId() = default;
  explicit RecordingId(const std::array<std::byte, kBytes>& bytes) : bytes_(bytes) {}
  // Exactly 26 characters of a-z2-7 whose last character carries no stray bits; Errc::usage else.
  static Result<RecordingId> parse(std::string_view text);

  std::string text() const;
  const std::array<std::byte, kBytes>& bytes() const { return bytes_; }
  auto operator<=>(const RecordingId&) const = default;

 private:
  std::array<std::byte, kBytes> bytes_{};
};

// The numbers are part of the file formats (docs/FORMAT.md): never renumber.
enum class Direction : std::uint8_t { in = 1, out = 2 };
enum class Party : std::uint8_t { caller = 1, agent = 2 };
enum class TrackName : std::uint8_t { mixed = 0, caller = 1, agent = 2 };
enum class Consent : std::uint8_t { unknown = 0, implied = 1, granted = 2, pending = 3, refused = 4, withdrawn = 5 };
enum class Basis : std::uint8_t { consent = 0, contract = 1, legal_obligation = 2, legitimate_interest = 3 };
// live: openable if consent allows. in_progress: the call still runs. gone: only a tombstone is left.
enum class State : std::uint8_t { in_progress, live, held, restricted, expired, gone };
// Of the notice that a call was told of, at the call's start. unknown: the register has no such version.
enum class NoticeState : std::uint8_t { valid, unknown, not_in_force };
enum class Purpose : std::uint8_t {
  service_quality = 1,
  customer_needs,
  evaluation,
  complaint,
  legal_claims,
  proof_of_interaction,
};

// The words used on the command line, in JSON and in files.
std::string_view to_word(Direction);
std::string_view to_word(Party);
std::string_view to_word(TrackName);
std::string_view to_word(Consent);
std::string_view to_word(Basis);
std::string_view to_word(State);
std::string_view to_word(NoticeState);
std::string_view to_word(Purpose);
// Errc::usage, naming the accepted words, when `word` is none of them.
Result<Direction> parse_direction(std::string_view word);
Result<Party> parse_party(std::string_view word);
Result<TrackName> parse_track(std::string_view word);
Result<Consent> parse_consent(std::string_view word);
Result<Basis> parse_basis(std::string_view word);
Result<State> parse_state(std::string_view word);
Result<Purpose> parse_purpose(std::string_view word);

struct Flags {
  bool truncated = false;          // the input's header promised another length than arrived
  bool interrupted = false;        // the recorder died; what was durable is kept
  bool duplicate_call_id = false;  // another recording has the same call id and start, but other audio
  bool operator==(const Flags&) const = default;
};

struct Track {
  TrackName name = TrackName::mixed;
  std::uint16_t segment = 0;       // 0, or the number of a continuation after a write error
  std::uint32_t sample_rate = 0;   // Hz, as encoded
  std::uint64_t sealed_bytes = 0;  // size of the sealed file
};

struct Hold {
  std::string matter;
  std::optional<Time> until;
};

struct PartyConsent {
  Party party = Party::caller;
  Consent consent = Consent::unknown;
};

struct CallRecord {
  RecordingId id;
  Time started_at{};
  std::optional<Time> ended_at;
  std::optional<double> duration_s;
  Time expires_at{};
  Direction direction = Direction::in;
  std::string caller, called, agent, call_id;  // empty = not known
  std::string retention_class = "default";
  std::string notice;  // version of the privacy notice the call was told of
  std::optional<bool> notice_played;
  Basis basis = Basis::consent;
  std::vector<PartyConsent> consents;
  // Where in the call the caller's first consent was given, and how. From `show` only.
  std::optional<double> consent_offset_s;
  std::string consent_method;
  std::optional<NoticeState> notice_state;  // from `show` only; none: no version is named, or no notices are kept
  State state = State::live;
  Flags flags;
  std::vector<Track> tracks;
  std::vector<Hold> holds;
  std::vector<std::string> rectified;  // the fields that were corrected: caller, called, agent, call_id
  std::string deferred_erasure;        // reference of the request, when its erasure waits for a hold to end

  Consent consent_of(Party party) const;
};

// What is left of a shredded recording: no personal data.
struct Tombstone {
  RecordingId id;
  std::string start_day;  // civil date in the vault's zone, 2026-11-23
  std::uint64_t duration_s = 0;
  std::string reason;  // a code: expired, erased, consent_refused, consent_withdrawn ...
  Time shredded_at{};
  std::uint64_t epoch = 0;          // of the root key whose forgetting made it irrecoverable
  std::uint64_t journal_index = 0;  // of the tombstone's entry
};

}  // namespace callvault
