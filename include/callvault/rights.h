// What people may ask for, and what became of it: opt-outs and requests (GDPR Art. 7(3), 12 and 15 to 22).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "callvault/call_record.h"
#include "callvault/clock.h"
#include "callvault/copies.h"
#include "callvault/result.h"

namespace callvault {

struct MayRecord {
  bool allowed = true;
  std::optional<Time> opted_out_since;
  std::optional<Time> incomplete_since{};  // the register was given up then: nobody may be, until it is complete again
};

struct OptOutOptions {
  std::string number;   // E.164, or in the vault's national form
  std::string request;  // reference of the request; may be empty
};

enum class RequestKind : std::uint8_t { inform, access, copy, rectify, object, restrict, erase, portability, withdraw };
enum class RequestChannel : std::uint8_t { post, email, fax, visit, phone, web };
enum class RequestDecision : std::uint8_t { granted, partly, refused };
// open: no answer yet. decided: answered, not carried out. closed: done.
enum class RequestState : std::uint8_t { open, decided, closed };
std::string_view to_word(RequestKind);
std::string_view to_word(RequestChannel);
std::string_view to_word(RequestDecision);
std::string_view to_word(RequestState);
// Errc::usage, naming the accepted words, when `word` is none of them.
Result<RequestKind> parse_request_kind(std::string_view word);
Result<RequestChannel> parse_request_channel(std::string_view word);
Result<RequestDecision> parse_request_decision(std::string_view word);
Result<RequestState> parse_request_state(std::string_view word);

struct RequestOptions {
  RequestKind kind = RequestKind::access;
  RequestChannel channel = RequestChannel::post;
  std::optional<Time> received;        // default: now; the deadline counts from it
  std::string name;                    // who asks; at most 256 bytes, like each text here
  std::vector<std::string> numbers{};  // the telephone numbers it is about, at most 32
  std::string identity;                // how their identity was checked
  std::string document_hash;           // SHA-256 of the letter or mail, 64 hexadecimal digits; may be empty
  std::string note;
  std::optional<Party> requester{};  // which party of the calls asks; no copy is given before it is known
};

struct RequestStep {
  Time at{};
  std::string actor;  // name of a person
  std::string what;   // opened, assigned, extended, decided, closed, requester; answered, erased, restricted ...
  std::string text;   // reason or note
};

struct Request {
  std::string id;  // "R-2026-0001"
  RequestState state = RequestState::open;
  RequestKind kind = RequestKind::access;
  RequestChannel channel = RequestChannel::post;
  Time received{};
  Time due{};  // the earlier of 30 days and one month after it was received; later when extended
  bool extended = false;
  bool overdue = false;  // not closed when its time was over
  std::string name, identity, document_hash;
  std::vector<std::string> numbers;
  std::string assigned;  // name of a person; may be empty
  std::optional<RequestDecision> decision;
  std::vector<RequestStep> history;
  std::optional<Time> closed;
  // Of copies (callvault/disclosure.h):
  std::optional<Party> requester{};
  std::vector<PartyAnswer> answers{};
  std::vector<CopyMade> copies{};
  std::vector<RecordingId> deferred;  // their erasure waits for a hold or a restriction to end
};

// What a refusal tells the person, besides its reasons.
struct Contacts {
  std::string controller, dpo, authority;
};

}  // namespace callvault
