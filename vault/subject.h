// One person of the recorded (a data subject): their numbers, their recordings, and the request a verb is carried out
// for.
#pragma once

#include <initializer_list>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "rights/requests.h"
#include "session.h"

namespace callvault {

inline constexpr std::size_t kMaxReasonBytes = 4096;

// 1 to 64 letters, digits or - _ . / : #
Result<void> check_reference(std::string_view text);
// In normal form. Errors: usage when it is empty or too long.
Result<std::string> number_of(const context::Context& context, std::string_view text);
// All numbers of their people. Errors: corrupt.
Result<std::vector<std::string>> numbers_of_person(const context::Context& context,
                                                   const std::vector<std::string>& numbers);
// Everything of these numbers, on either side of the call, in every bucket; ascending. Errors: corrupt.
Result<std::vector<catalog::Hit>> recordings_of(const context::Context& context,
                                                const std::vector<std::string>& numbers);

// Journals a refusal, and gives it back.
Error refuse(context::Context& context, std::string_view verb, std::map<std::string, std::string> facts,
             const Error& why);
// What `locate` gave; that a person asked for what never was here, or is gone, is journalled.
Result<Located> attempted(context::Context& context, std::string_view verb, const RecordingId& id,
                          Result<Located> found);

// What a verb is carried out for: a request of the register, or a reference of somebody else's.
class Errand {
 public:
  Errand() = default;
  // A request of the register must be of one of the kinds, neither refused nor (unless `closed_too`) closed. Errors:
  // refused (journalled); not_found: it is written as the register's are, and none of them; corrupt.
  static Result<Errand> of(context::Context& context, std::string_view verb, std::string_view reference,
                           std::initializer_list<RequestKind> kinds, bool closed_too = false);

  bool known() const { return !id_.empty(); }
  // REQUIRES: known().
  Result<const Request*> request() const;
  // Adds a step to the request's history, durable with the next commit; nothing when it is not in the register.
  Result<void> note(context::Context& context, std::string_view what, std::string text);

 private:
  mutable std::optional<rights::Requests> requests_;
  std::string id_;
};

// Recordings whose erasure waits, by the reference of the request.
using DeferredByRequest = std::map<std::string, std::vector<RecordingId>>;
Result<DeferredByRequest> deferred_by_request(context::Context& context);
// A hold or a restriction stands.
bool is_protected(const keys::NodeRow& row, Time now);

// Whose people's alias groups nothing needs once the victims are gone: these go, and what opted out holds for each
// number from now on. Staged. True when one went.
Result<bool> drop_needless_aliases(context::Context& context, const std::vector<std::string>& numbers,
                                   const std::set<RecordingId>& victims);
// What else the end of deferred erasures brings: a step in each request's history, and alias groups that nobody needs.
// Staged. It stops no erasure: gives the problems it met.
std::vector<std::string> wind_up(context::Context& context, const std::vector<shred::Victim>& victims);
// Carries out what was deferred, as far as nothing protects it any more. True when something was erased. Errors:
// partly_done when a shred stays outstanding.
Result<bool> carry_out_deferred(context::Context& context, const std::vector<RecordingId>& ids);

}  // namespace callvault
