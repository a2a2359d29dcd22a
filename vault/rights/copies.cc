#include "rights/copies.h"

#include <algorithm>

namespace callvault::rights {
namespace {

Error no_copy(const Request& request, const char* why) {
  return fail(Errc::refused, "no copy for request " + request.id + ": " + why);
}

bool is_for_copies(RequestKind kind) {
  return kind == RequestKind::copy || kind == RequestKind::access || kind == RequestKind::portability;
}

bool has_track(const CopySubject& subject, TrackName name) {
  return std::find(subject.tracks.begin(), subject.tracks.end(), name) != subject.tracks.end();
}

// A request about a number is about that number's calls. An agent's is about their own voice, whoever called.
bool is_about(const Request& request, const CopySubject& subject) {
  return request.requester != Party::caller || request.numbers.empty() ||
         std::find(request.numbers.begin(), request.numbers.end(), subject.outside_number) != request.numbers.end();
}

std::optional<CopyAnswer> answer_of(const Request& request, const RecordingId& id, Party party) {
  for (const auto& a : request.answers)
    if (a.recording == id && a.party == party) return a.answer;
  return std::nullopt;
}

bool agrees(const std::optional<CopyAnswer>& answer, keys::CopyConsent consent) {
  return consent == keys::CopyConsent::all_parties ? answer == CopyAnswer::yes : answer != CopyAnswer::no;
}

}  // namespace

Result<void> may_copy(const Request& request) {
  if (!is_for_copies(request.kind)) return no_copy(request, "its kind is none of copy, access, portability");
  if (request.state == RequestState::closed) return no_copy(request, "it is closed");
  if (!request.decision) return no_copy(request, "it is not decided yet");
  if (request.decision == RequestDecision::refused) return no_copy(request, "it was refused");
  if (request.channel == RequestChannel::phone)
    return no_copy(request, "it came by telephone, and a copy is given on a written request only");
  if (request.document_hash.empty())
    return no_copy(request, "it has no document's hash, and a copy is given on a written request only");
  if (!request.requester) return no_copy(request, "it is not known which party of the call asks");
  return {};
}

Result<CopyExtent> copy_extent(const Request& request, const CopySubject& subject, keys::CopyConsent consent) {
  if (!is_about(request, subject)) return no_copy(request, "the recording is not of the number it is about");
  if (request.kind == RequestKind::portability && subject.basis != Basis::consent && subject.basis != Basis::contract)
    return no_copy(request, "only what rests on consent or contract is portable, and the recording does not");
  const bool by_caller = request.requester == Party::caller;
  const Party other = by_caller ? Party::agent : Party::caller;
  if (agrees(answer_of(request, subject.id, other), consent)) return CopyExtent{true, TrackChoice::both};
  if (has_track(subject, TrackName::mixed))
    return no_copy(request, "the recording holds both voices in one track, and the other party has not agreed");
  if (!has_track(subject, by_caller ? TrackName::caller : TrackName::agent))
    return no_copy(request, "the recording has no track of the requester alone, and the other party has not agreed");
  return CopyExtent{false, by_caller ? TrackChoice::caller : TrackChoice::agent};
}

Result<void> note_answer(Request& request, PartyAnswer answer) {
  std::erase_if(request.answers,
                [&](const PartyAnswer& a) { return a.recording == answer.recording && a.party == answer.party; });
  if (request.answers.size() >= kMaxAnswers)
    return fail(Errc::refused, "request " + request.id + " has as many answers as it can have");
  request.answers.push_back(std::move(answer));
  return {};
}

Result<void> note_copy(Request& request, CopyMade copy) {
  if (request.copies.size() >= kMaxCopies)
    return fail(Errc::refused, "request " + request.id + " has as many copies as it can have");
  request.copies.push_back(std::move(copy));
  return {};
}

}  // namespace callvault::rights
