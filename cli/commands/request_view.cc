#include "cli/commands/request_view.h"

#include <fmt/format.h>

#include "cli/record_view.h"
#include "cli/text.h"
#include "cli/time.h"

namespace callvault::cli {

JsonObject request_json(const Request& r, const Vault& vault) {
  std::vector<JsonObject> history;
  for (const auto& step : r.history)
    history.push_back(JsonObject()
                          .put("at", vault.format_time(step.at))
                          .put("actor", step.actor)
                          .put("what", step.what)
                          .put_known("text", step.text));
  std::vector<JsonObject> answers, copies;
  for (const auto& a : r.answers)
    answers.push_back(JsonObject()
                          .put("recording", a.recording.text())
                          .put("party", to_word(a.party))
                          .put("answer", to_word(a.answer))
                          .put("at", vault.format_time(a.at))
                          .put_known("evidence", a.evidence));
  for (const auto& c : r.copies) {
    std::vector<std::string> tracks;
    for (const auto track : c.tracks) tracks.emplace_back(to_word(track));
    copies.push_back(JsonObject()
                         .put("at", vault.format_time(c.at))
                         .put("actor", c.actor)
                         .put("recording", c.recording.text())
                         .put("tracks", tracks)
                         .put("format", to_word(c.form))
                         .put("recipient", c.recipient));
  }
  std::vector<std::string> deferred;
  for (const auto& id : r.deferred) deferred.push_back(id.text());
  return JsonObject()
      .put("id", r.id)
      .put("state", to_word(r.state))
      .put("kind", to_word(r.kind))
      .put("channel", to_word(r.channel))
      .put("received", vault.format_time(r.received))
      .put("due", vault.format_time(r.due))
      .put("extended", r.extended)
      .put("overdue", r.overdue)
      .put_known("name", r.name)
      .put_known("number", r.numbers.empty() ? std::string() : r.numbers.front())
      .put("numbers", r.numbers)
      .put_known("identity", r.identity)
      .put_known("document_hash", r.document_hash)
      .put_known("assigned", r.assigned)
      .put_known("decision", r.decision ? to_word(*r.decision) : "")
      .put("closed", r.closed ? std::optional(vault.format_time(*r.closed)) : std::nullopt)
      .put("deferred", deferred)
      .put("requester", r.requester ? std::optional(to_word(*r.requester)) : std::nullopt)
      .put("answers", answers)
      .put("copies", copies)
      .put("history", history);
}

void print_request(const Request& r, const Vault& vault, Output& out) {
  print_field(out, "request", fmt::format("{} ({}, {})", r.id, to_word(r.kind), to_word(r.state)));
  print_field(out, "received", fmt::format("{} by {}", civil(vault.format_time(r.received)), to_word(r.channel)));
  print_field(out, "due",
              fmt::format("{}{}{}", civil(vault.format_time(r.due)), r.extended ? ", extended" : "",
                          r.overdue ? ", overdue" : ""));
  const std::string numbers = join(r.numbers, ", ");
  for (const auto& [label, text] :
       {std::pair{"name", &r.name}, std::pair{"number", &numbers}, std::pair{"identity", &r.identity},
        std::pair{"document", &r.document_hash}, std::pair{"assigned", &r.assigned}})
    if (!text->empty()) print_field(out, label, printable(*text));
  if (r.decision) print_field(out, "decision", to_word(*r.decision));
  if (r.requester) print_field(out, "requester", to_word(*r.requester));
  for (const auto& a : r.answers)
    print_field(out, "answer",
                fmt::format("{} of {}, about {}{}", to_word(a.answer), to_word(a.party), short_id(a.recording),
                            a.evidence.empty() ? "" : ": " + printable(a.evidence)));
  for (const auto& c : r.copies)
    print_field(out, "copy",
                fmt::format("{} of {} on {} by {}, sealed to {}", to_word(c.form), short_id(c.recording),
                            civil(vault.format_time(c.at)), printable(c.actor), printable(c.recipient)));
  if (!r.deferred.empty()) print_field(out, "deferred", count(r.deferred.size(), "erasure", "erasures"));
  for (const auto& step : r.history)
    out.line(fmt::format("  {}  {} by {}{}", civil(vault.format_time(step.at)), step.what, printable(step.actor),
                         step.text.empty() ? "" : ": " + printable(step.text)));
}

}  // namespace callvault::cli
