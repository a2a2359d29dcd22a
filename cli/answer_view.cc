#include "cli/answer_view.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "cli/commands/person_view.h"
#include "cli/json.h"
#include "cli/record_view.h"
#include "cli/text.h"
#include "cli/time.h"

namespace callvault::cli {
namespace {

// Art. 15(1)(e), (f) and (h), 20 and 21.
constexpr std::array<std::string_view, 7> kRights{
    "to a copy of the recordings", "to have what is wrong corrected", "to have the recordings erased",
    "to have them restricted",     "to object to the processing",     "to receive them in a machine-readable form",
    "to withdraw consent"};

// What a person of the vault had sealed under a matter's name is theirs: that it is held is enough.
std::string kept_by(const CallRecord& record) {
  if (record.state == State::held) return "held for legal claims";
  if (record.state == State::restricted) return "restricted";
  return "";
}

// Which side of the call was theirs.
std::string_view side_of(const Answer& answer, const CallRecord& record) {
  const bool called = std::ranges::find(answer.numbers, record.called) != answer.numbers.end();
  return called && std::ranges::find(answer.numbers, record.caller) == answer.numbers.end() ? "called" : "caller";
}

JsonObject recording_json(const AnsweredRecording& answered, const Answer& answer, const Vault& vault) {
  const CallRecord& r = answered.record;
  std::vector<JsonObject> uses;
  for (const auto& use : answered.uses)
    uses.push_back(JsonObject()
                       .put("what", use.event)
                       .put_known("purpose", use.purpose)
                       .put("roles", role_words(use.roles))
                       .put("times", use.times)
                       .put("first", vault.format_time(use.first))
                       .put("last", vault.format_time(use.last)));
  return JsonObject()
      .put("id", r.id.text())
      .put("started_at", vault.format_time(r.started_at))
      .put("duration_s", r.duration_s)
      .put("direction", to_word(r.direction))
      .put("side", side_of(answer, r))
      .put_known("caller", r.caller)
      .put_known("called", r.called)
      .put("basis", to_word(r.basis))
      .put("consent", to_word(r.consent_of(Party::caller)))
      .put_known("notice", r.notice)
      .put("state", to_word(r.state))
      .put("kept_until", vault.format_time(r.expires_at))
      .put("rectified", r.rectified)
      .put("to_be_erased", !r.deferred_erasure.empty())
      .put("uses", uses);
}

std::string_view words_of(std::string_view event) {
  if (event == "opened") return "listened to";
  if (event == "exported") return "copied";
  if (event == "copied") return "given to somebody in the call";
  if (event == "disclosed") return "disclosed to an authority";
  return event;
}

std::string use_line(const Use& use) {
  const std::string who = use.roles.empty() ? "somebody of the staff" : join(role_words(use.roles), ", ");
  return fmt::format("    {}{} by {}, {}\n", words_of(use.event), use.purpose.empty() ? "" : " for " + use.purpose, who,
                     count(use.times, "time", "times"));
}

std::string recording_text(const AnsweredRecording& answered, const Answer& answer, const Vault& vault) {
  const CallRecord& r = answered.record;
  std::string out = fmt::format("  {}  {}, {}, you were the {}\n", civil(vault.format_time(r.started_at)),
                                r.direction == Direction::in ? "call received" : "call made",
                                human_duration(r.duration_s), side_of(answer, r));
  out += fmt::format("    recording {}\n", r.id.text());
  out += fmt::format("    basis: {}; consent: {}{}\n", to_word(r.basis), to_word(r.consent_of(Party::caller)),
                     r.notice.empty() ? "" : ", notice " + printable(r.notice));
  out += fmt::format("    kept until {}{}\n", civil(vault.format_time(r.expires_at)),
                     kept_by(r).empty() ? "" : "; " + kept_by(r));
  if (!r.rectified.empty()) out += fmt::format("    corrected: {}\n", join(r.rectified, ", "));
  if (!r.deferred_erasure.empty()) out += "    to be erased once nothing keeps it any more\n";
  if (answered.uses.empty()) out += "    nobody has listened to it\n";
  for (const auto& use : answered.uses) out += use_line(use);
  return out;
}

}  // namespace

std::string answer_json(const Answer& answer, const Vault& vault) {
  std::vector<JsonObject> recordings;
  for (const auto& r : answer.recordings) recordings.push_back(recording_json(r, answer, vault));
  std::vector<std::string> rights(kRights.begin(), kRights.end());
  return JsonObject()
             .put("type", "access")
             .put("request", answer.request.id)
             .put("at", vault.format_time(answer.at))
             .put("controller", answer.organisation)
             .put_known("contact", answer.contacts.controller)
             .put_known("dpo", answer.contacts.dpo)
             .put_known("authority", answer.contacts.authority)
             .put("numbers", answer.numbers)
             .put("data", std::vector<std::string>{"voice and what is said", "telephone numbers", "time and duration",
                                                   "who answered", "consent"})
             .put("source", "the calls themselves")
             .put("automated_decisions", false)
             .put("rights", rights)
             .put("unreadable", answer.unreadable)
             .put("recordings", recordings)
             .text() +
         "\n";
}

std::string answer_text(const Answer& answer, const Vault& vault) {
  std::string out = fmt::format("Answer to request {}, {}\n\n", answer.request.id, civil(vault.format_time(answer.at)));
  const auto field = [&](std::string_view name, const std::string& value) {
    if (!value.empty()) out += fmt::format("{:<26} {}\n", std::string(name) + ":", printable(value));
  };
  field("Controller", answer.organisation);
  field("Contact", answer.contacts.controller);
  field("Data protection officer", answer.contacts.dpo);
  field("Numbers looked for", join(answer.numbers, ", "));
  field("What is kept", "voice and what is said, telephone numbers, time and duration, who answered, consent");
  field("Where it comes from", "the calls themselves");
  field("Automated decisions", "none");
  out += fmt::format("\n{}\n", count(answer.recordings.size(), "recording", "recordings"));
  for (const auto& r : answer.recordings) out += "\n" + recording_text(r, answer, vault);
  if (answer.unreadable > 0)
    out += fmt::format("\n{} of the last days cannot be read yet, and may be yours.\n",
                       count(answer.unreadable, "call", "calls"));
  out += "\nYou have the right\n";
  for (const auto right : kRights) out += fmt::format("  - {}\n", right);
  out +=
      fmt::format("  - to complain to {}\n", answer.contacts.authority.empty() ? "the supervisory authority"
                                                                               : printable(answer.contacts.authority));
  return out;
}

}  // namespace callvault::cli
