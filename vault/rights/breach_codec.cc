#include "rights/breach_codec.h"

#include "context/json_fields.h"

namespace callvault::rights {
namespace {

using context::JsonFields;
using context::known_time_text;

constexpr int kBreachVersion = 1;
constexpr std::uint64_t kLastBreachYear = 9999;

Error breaches_damaged() { return fail(Errc::corrupt, "the register of breaches is damaged"); }

nlohmann::json breach_to_json(const Breach& b) {
  nlohmann::json history = nlohmann::json::array();
  for (const auto& step : b.history)
    history.push_back(
        {{"at", base::utc_text(step.at)}, {"actor", step.actor}, {"what", step.what}, {"text", step.text}});
  return {{"id", b.id},
          {"closed", known_time_text(b.closed_at)},
          {"nature", to_word(b.nature)},
          {"risk", to_word(b.risk)},
          {"discovered", base::utc_text(b.discovered)},
          {"due", base::utc_text(b.due)},
          {"from", known_time_text(b.from)},
          {"to", known_time_text(b.to)},
          {"authority_notified", known_time_text(b.authority_notified)},
          {"people_notified", known_time_text(b.people_notified)},
          {"history", std::move(history)}};
}

Result<Breach> breach_from_json(const nlohmann::json& json) {
  JsonFields f(json);
  Breach b;
  b.id = f.text("id");
  b.closed_at = f.known_time("closed");
  b.closed = b.closed_at.has_value();
  b.nature = f.word("nature", parse_breach_nature);
  b.risk = f.word("risk", parse_breach_risk);
  b.discovered = f.time("discovered");
  b.due = f.time("due");
  b.from = f.known_time("from");
  b.to = f.known_time("to");
  b.authority_notified = f.known_time("authority_notified");
  b.people_notified = f.known_time("people_notified");
  for (const auto& item : f.list("history")) {
    JsonFields step(item);
    b.history.push_back({step.time("at"), step.text("actor"), step.text("what"), step.text("text")});
    if (!step.ok()) return breaches_damaged();
  }
  if (!f.ok()) return breaches_damaged();
  return b;
}

}  // namespace

std::string encode_breaches(const BreachesContent& content) {
  nlohmann::json list = nlohmann::json::array();
  for (const auto& breach : content.breaches) list.push_back(breach_to_json(breach));
  // Text that is not UTF-8 is replaced, not refused: nothing a person typed may stop the office.
  return nlohmann::json{{"version", kBreachVersion},
                        {"year", content.year},
                        {"last_number", content.last_number},
                        {"breaches", std::move(list)}}
      .dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

Result<BreachesContent> decode_breaches(std::string_view text) {
  const nlohmann::json json = nlohmann::json::parse(text, nullptr, false);
  JsonFields f(json);
  const std::uint64_t version = f.number("version");
  if (version > kBreachVersion) return fail(Errc::newer_version, "the register of breaches is of a newer version");
  BreachesContent out;
  const std::uint64_t year = f.number("year");
  out.year = static_cast<int>(year);
  out.last_number = f.number("last_number");
  for (const auto& item : f.list("breaches")) {
    CALLVAULT_TRY_ASSIGN(auto breach, breach_from_json(item));
    out.breaches.push_back(std::move(breach));
  }
  if (!f.ok() || year > kLastBreachYear) return breaches_damaged();
  return out;
}

}  // namespace callvault::rights
