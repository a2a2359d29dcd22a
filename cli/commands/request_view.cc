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
      .put_known("number", r.number)
      .put_known("identity", r.identity)
      .put_known("document_hash", r.document_hash)
      .put_known("assigned", r.assigned)
      .put_known("decision", r.decision ? to_word(*r.decision) : "")
      .put("closed", r.closed ? std::optional(vault.format_time(*r.closed)) : std::nullopt)
      .put("history", history);
}

void print_request(const Request& r, const Vault& vault, Output& out) {
  print_field(out, "request", fmt::format("{} ({}, {})", r.id, to_word(r.kind), to_word(r.state)));
  print_field(out, "received", fmt::format("{} by {}", civil(vault.format_time(r.received)), to_word(r.channel)));
  print_field(out, "due",
              fmt::format("{}{}{}", civil(vault.format_time(r.due)), r.extended ? ", extended" : "",
                          r.overdue ? ", overdue" : ""));
  for (const auto& [label, text] :
       {std::pair{"name", &r.name}, std::pair{"number", &r.number}, std::pair{"identity", &r.identity},
        std::pair{"document", &r.document_hash}, std::pair{"assigned", &r.assigned}})
    if (!text->empty()) print_field(out, label, printable(*text));
  if (r.decision) print_field(out, "decision", to_word(*r.decision));
  for (const auto& step : r.history)
    out.line(fmt::format("  {}  {} by {}{}", civil(vault.format_time(step.at)), step.what, printable(step.actor),
                         step.text.empty() ? "" : ": " + printable(step.text)));
}

}  // namespace callvault::cli
