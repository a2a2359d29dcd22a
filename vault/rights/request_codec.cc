#include "rights/request_codec.h"

#include "context/json_fields.h"

namespace callvault::rights {
namespace {

using context::JsonFields;
using Json = nlohmann::json;

constexpr int kVersion = 3;  // 1 had neither requester, answers nor copies; 1 and 2 knew one number of a person
constexpr std::size_t kMaxNumbers = 32;
constexpr std::uint64_t kLastYear = 9999;

Error damaged() { return fail(Errc::corrupt, "the register of requests is damaged"); }

Json answers_json(const std::vector<PartyAnswer>& answers) {
  Json out = Json::array();
  for (const auto& a : answers)
    out.push_back({{"recording", a.recording.text()},
                   {"party", to_word(a.party)},
                   {"answer", to_word(a.answer)},
                   {"at", base::utc_text(a.at)},
                   {"evidence", a.evidence}});
  return out;
}

Json copies_json(const std::vector<CopyMade>& copies) {
  Json out = Json::array();
  for (const auto& c : copies) {
    Json tracks = Json::array();
    for (const auto track : c.tracks) tracks.push_back(to_word(track));
    out.push_back({{"at", base::utc_text(c.at)},
                   {"actor", c.actor},
                   {"recording", c.recording.text()},
                   {"tracks", std::move(tracks)},
                   {"form", to_word(c.form)},
                   {"recipient", c.recipient}});
  }
  return out;
}

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
          {"numbers", r.numbers},
          {"identity", r.identity},
          {"document_hash", r.document_hash},
          {"assigned", r.assigned},
          {"decision", r.decision ? std::string(to_word(*r.decision)) : ""},
          {"closed", context::known_time_text(r.closed)},
          {"history", std::move(history)},
          {"requester", r.requester ? std::string(to_word(*r.requester)) : ""},
          {"answers", answers_json(r.answers)},
          {"copies", copies_json(r.copies)}};
}

// What a register of version 1 does not have, and a later one may leave out.
Result<const Json*> list_of(const Json& json, const char* key) {
  static const Json kNone = Json::array();
  const auto it = json.find(key);
  if (it == json.end()) return &kNone;
  if (!it->is_array()) return damaged();
  return &*it;
}

Result<void> read_copies(const Json& json, Request& r) {
  if (json.contains("requester")) {
    JsonFields f(json);
    if (!f.text("requester").empty()) r.requester = f.word("requester", parse_party);
    if (!f.ok()) return damaged();
  }
  CALLVAULT_TRY_ASSIGN(const Json* answers, list_of(json, "answers"));
  for (const auto& item : *answers) {
    JsonFields f(item);
    r.answers.push_back({f.word("recording", RecordingId::parse), f.word("party", parse_party),
                         f.word("answer", parse_copy_answer), f.time("at"), f.text("evidence")});
    if (!f.ok()) return damaged();
  }
  CALLVAULT_TRY_ASSIGN(const Json* copies, list_of(json, "copies"));
  for (const auto& item : *copies) {
    JsonFields f(item);
    CopyMade c{f.time("at"),
               f.text("actor"),
               f.word("recording", RecordingId::parse),
               {},
               f.word("form", parse_copy_form),
               f.text("recipient")};
    if (!f.ok() || !item.contains("tracks") || !item["tracks"].is_array()) return damaged();
    for (const auto& word : item["tracks"]) {
      if (!word.is_string()) return damaged();
      const auto track = parse_track(word.get<std::string>());
      if (!track) return damaged();
      c.tracks.push_back(*track);
    }
    r.copies.push_back(std::move(c));
  }
  return {};
}

Result<Request> from_json(const Json& json, std::uint64_t version) {
  JsonFields f(json);
  Request r;
  r.id = f.text("id");
  r.state = f.word("state", parse_request_state);
  r.kind = f.word("kind", parse_request_kind);
  r.channel = f.word("channel", parse_request_channel);
  r.received = f.time("received");
  r.due = f.time("due");
  r.extended = f.flag("extended");
  r.name = f.text("name");
  if (version >= 3)
    r.numbers = f.texts("numbers", kMaxNumbers);
  else if (auto number = f.text("number"); !number.empty())
    r.numbers = {std::move(number)};
  r.identity = f.text("identity");
  r.document_hash = f.text("document_hash");
  r.assigned = f.text("assigned");
  if (!f.text("decision").empty()) r.decision = f.word("decision", parse_request_decision);
  r.closed = f.known_time("closed");
  for (const auto& item : f.list("history")) {
    JsonFields step(item);
    r.history.push_back({step.time("at"), step.text("actor"), step.text("what"), step.text("text")});
    if (!step.ok()) return damaged();
  }
  if (!f.ok()) return damaged();
  CALLVAULT_TRY(read_copies(json, r));
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
  const auto version = json["version"].get<std::uint64_t>();
  if (version > kVersion) return fail(Errc::newer_version, "the register of requests is of a newer version");
  JsonFields f(json);
  RequestsContent out;
  const std::uint64_t year = f.number("year");
  out.year = static_cast<int>(year);
  out.last_number = f.number("last_number");
  for (const auto& item : f.list("requests")) {
    CALLVAULT_TRY_ASSIGN(auto request, from_json(item, version));
    out.requests.push_back(std::move(request));
  }
  if (!f.ok() || year > kLastYear) return damaged();
  return out;
}

}  // namespace callvault::rights
