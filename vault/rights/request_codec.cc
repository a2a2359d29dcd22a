#include "rights/request_codec.h"

#include <nlohmann/json.hpp>

#include "base/civil_time.h"

namespace callvault::rights {
namespace {

using Json = nlohmann::json;

constexpr int kVersion = 1;

Error damaged() { return fail(Errc::corrupt, "the register of requests is damaged"); }

Json to_json(const Request& r) {
  Json history = Json::array();
  for (const auto& step : r.history)
    history.push_back(
        {{"at", base::utc_text(step.at)}, {"actor", step.actor}, {"what", step.what}, {"text", step.text}});
  return {{"id", r.id},
          {"state", to_word(r.state)},
          {"kind", to_word(r.kind)},
          {"channel", to_word(r.channel)},
          {"received", base::utc_text(r.received)},
          {"due", base::utc_text(r.due)},
          {"extended", r.extended},
          {"name", r.name},
          {"number", r.number},
          {"identity", r.identity},
          {"document_hash", r.document_hash},
          {"assigned", r.assigned},
          {"decision", r.decision ? std::string(to_word(*r.decision)) : ""},
          {"closed", r.closed ? base::utc_text(*r.closed) : ""},
          {"history", std::move(history)}};
}

// Reads named fields; what is missing or of another kind is remembered as damage.
class Fields {
 public:
  explicit Fields(const Json& json) : json_(json) { ok_ = json.is_object(); }

  std::string text(const char* key) {
    if (!has(key) || !json_[key].is_string()) return fail_with("");
    return json_[key].get<std::string>();
  }
  bool flag(const char* key) {
    if (!has(key) || !json_[key].is_boolean()) return !fail_with("").empty();
    return json_[key].get<bool>();
  }
  Time time(const char* key) {
    const auto parsed = base::parse_utc(text(key));
    ok_ = ok_ && parsed.has_value();
    return parsed ? *parsed : Time{};
  }
  template <typename T>
  T word(const char* key, Result<T> (*parse)(std::string_view)) {
    const auto parsed = parse(text(key));
    ok_ = ok_ && parsed.has_value();
    return parsed ? *parsed : T{};
  }
  bool ok() const { return ok_; }

 private:
  bool has(const char* key) const { return ok_ && json_.contains(key); }
  std::string fail_with(std::string value) {
    ok_ = false;
    return value;
  }
  const Json& json_;
  bool ok_ = true;
};

Result<Request> from_json(const Json& json) {
  Fields f(json);
  Request r;
  r.id = f.text("id");
  r.state = f.word("state", parse_request_state);
  r.kind = f.word("kind", parse_request_kind);
  r.channel = f.word("channel", parse_request_channel);
  r.received = f.time("received");
  r.due = f.time("due");
  r.extended = f.flag("extended");
  r.name = f.text("name");
  r.number = f.text("number");
  r.identity = f.text("identity");
  r.document_hash = f.text("document_hash");
  r.assigned = f.text("assigned");
  if (!f.text("decision").empty()) r.decision = f.word("decision", parse_request_decision);
  if (!f.text("closed").empty()) r.closed = f.time("closed");
  if (!f.ok() || !json.contains("history") || !json["history"].is_array()) return damaged();
  for (const auto& item : json["history"]) {
    Fields step(item);
    r.history.push_back({step.time("at"), step.text("actor"), step.text("what"), step.text("text")});
    if (!step.ok()) return damaged();
  }
  return r;
}

}  // namespace

std::string encode_requests(const RequestsContent& content) {
  Json list = Json::array();
  for (const auto& request : content.requests) list.push_back(to_json(request));
  // Text that is not UTF-8 is replaced, not refused: nothing a person typed may stop the office.
  return Json{{"version", kVersion},
              {"year", content.year},
              {"last_number", content.last_number},
              {"requests", std::move(list)}}
      .dump(-1, ' ', false, Json::error_handler_t::replace);
}

Result<RequestsContent> decode_requests(std::string_view text) {
  const Json json = Json::parse(text, nullptr, false);
  if (!json.is_object() || !json.contains("version") || !json["version"].is_number_unsigned()) return damaged();
  if (json["version"].get<std::uint64_t>() > kVersion)
    return fail(Errc::newer_version, "the register of requests is of a newer version");
  const bool whole = json.contains("year") && json["year"].is_number_unsigned() && json.contains("last_number") &&
                     json["last_number"].is_number_unsigned() && json.contains("requests") &&
                     json["requests"].is_array();
  if (!whole) return damaged();
  RequestsContent out;
  out.year = static_cast<int>(json["year"].get<std::uint32_t>());
  out.last_number = json["last_number"].get<std::uint64_t>();
  for (const auto& item : json["requests"]) {
    CALLVAULT_TRY_ASSIGN(auto request, from_json(item));
    out.requests.push_back(std::move(request));
  }
  return out;
}

}  // namespace callvault::rights
