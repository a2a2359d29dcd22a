#include "disclosure/vcon.h"

#include <array>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "crypto/random.h"

namespace callvault::disclosure {
namespace {

using VconJson = nlohmann::ordered_json;

constexpr int kCallerIndex = 0, kAgentIndex = 1, kControllerIndex = 2;

std::string vcon_text(const VconJson& json) { return json.dump(-1, ' ', false, VconJson::error_handler_t::replace); }

// RFC 9562, version 8: the other bits are ours.
std::string uuid_of(std::array<std::byte, 16> bits) {
  bits[6] = (bits[6] & std::byte{0x0f}) | std::byte{0x80};
  bits[8] = (bits[8] & std::byte{0x3f}) | std::byte{0x80};
  std::string out = base::to_hex(bits);
  for (const std::size_t at : {8U, 13U, 18U, 23U}) out.insert(at, 1, '-');
  return out;
}

std::string fresh_uuid() {
  std::array<std::byte, 16> bits{};
  crypto::fill_random(bits);
  return uuid_of(bits);
}

// The draft takes its dates from RFC 8620: no fraction of a second where it is zero.
std::string vcon_date(Time time) {
  std::string out = base::utc_text(time);
  constexpr std::string_view kNoFraction = ".000Z";
  if (out.ends_with(kNoFraction)) out.replace(out.size() - kNoFraction.size(), kNoFraction.size(), "Z");
  return out;
}

VconJson organisation(const Controller& controller) {
  VconJson out{{"type", "organization"}, {"name", controller.organisation}, {"validation", "none"}};
  if (controller.contact.find('@') != std::string::npos && controller.contact.find(' ') == std::string::npos)
    out["mailto"] = controller.contact;
  return out;
}

VconJson party(bool told, const char* key, const std::string& value) {
  if (!told) return {{"name", "anonymous"}};
  VconJson out{{"type", "person"}};
  const bool sip = value.starts_with("sip:") || value.starts_with("sips:");
  if (!value.empty()) out[sip && std::string_view(key) == "tel" ? "sip" : key] = value;
  if (!value.empty() && std::string_view(key) == "name") out["validation"] = "none";
  return out;
}

VconJson dialog_of(const CallRecord& record, const AudioFile& file, const std::string& body) {
  const int originator = record.direction == Direction::in ? kCallerIndex : kAgentIndex;
  VconJson out{{"type", "recording"}, {"start", vcon_date(record.started_at)}, {"duration", file.duration_s}};
  if (file.track == TrackName::mixed) {
    out["parties"] = {originator, kCallerIndex + kAgentIndex - originator};
  } else {
    const int speaker = file.track == TrackName::caller ? kCallerIndex : kAgentIndex;
    out["parties"] = speaker;
    if (speaker != originator) out["originator"] = originator;
  }
  out["mediatype"] = "audio/ogg";
  out["filename"] = record.id.text() + "-" + std::string(to_word(file.track)) + ".opus";
  out["encoding"] = "base64url";
  out["body"] = body;
  return out;
}

void to_url_alphabet(std::string& text) {
  std::replace(text.begin(), text.end(), '+', '-');
  std::replace(text.begin(), text.end(), '/', '_');
}

}  // namespace

std::vector<std::string> vcon_frame(const CallRecord& r, const std::vector<AudioFile>& files,
                                    const std::vector<ConsentStep>& steps, const Controller& controller, Detail detail,
                                    Time now) {
  // Nobody can have put it into a name beforehand.
  std::array<std::byte, 16> drawn{};
  crypto::fill_random(drawn);
  const std::string mark = base::to_hex(drawn);

  const bool all = detail == Detail::everything;
  VconJson vcon{{"vcon", "0.4.0"}, {"uuid", all ? uuid_of(r.id.bytes()) : fresh_uuid()}};
  vcon["created_at"] = vcon_date(now);
  if (!all) vcon["redacted"] = {{"uuid", uuid_of(r.id.bytes())}, {"type", "other_party"}};
  const bool outbound = r.direction == Direction::out && !r.called.empty();
  vcon["parties"] = {party(detail != Detail::agent_only, "tel", outbound ? r.called : r.caller),
                     party(detail != Detail::caller_only, "name", r.agent), organisation(controller)};
  vcon["dialog"] = VconJson::array();
  // What is redacted keeps its place, so that an index means the same in both documents.
  if (detail == Detail::agent_only) vcon["dialog"].push_back(VconJson::object());
  for (const auto& file : files) vcon["dialog"].push_back(dialog_of(r, file, mark));
  if (detail == Detail::caller_only) vcon["dialog"].push_back(VconJson::object());
  vcon["attachments"] = {{{"purpose", "consent"},
                          {"start", vcon_date(now)},
                          {"party", kControllerIndex},
                          {"dialog", detail == Detail::agent_only ? 1 : 0},
                          {"mediatype", "application/json"},
                          {"filename", "consent.json"},
                          {"encoding", "json"},
                          {"body", VconJson::parse(consent_json(r, steps, nullptr, detail), nullptr, false)}}};
  const std::string text = vcon_text(vcon) + "\n";
  std::vector<std::string> pieces;
  std::size_t from = 0;
  for (std::size_t i = 0; i < files.size(); ++i) {
    const std::size_t at = text.find(mark, from);
    pieces.push_back(text.substr(from, at - from));
    from = at + mark.size();
  }
  pieces.push_back(text.substr(from));
  return pieces;
}

std::string vcon_stub(const Tombstone& t, const Controller& controller, Time now) {
  VconJson vcon{{"vcon", "0.4.0"}, {"uuid", fresh_uuid()}, {"created_at", vcon_date(now)}};
  vcon["redacted"] = {{"uuid", uuid_of(t.id.bytes())}, {"type", "shredded"}};
  vcon["parties"] = {organisation(controller)};
  vcon["dialog"] = {VconJson::object()};
  vcon["attachments"] = {{{"purpose", "tombstone"},
                          {"start", vcon_date(t.shredded_at)},
                          {"party", 0},
                          {"dialog", 0},
                          {"mediatype", "application/json"},
                          {"filename", "tombstone.json"},
                          {"encoding", "json"},
                          {"body",
                           {{"id", t.id.text()},
                            {"start_day", t.start_day},
                            {"duration_s", t.duration_s},
                            {"reason", t.reason},
                            {"shredded_at", vcon_date(t.shredded_at)},
                            {"journal_entry", t.journal_index}}}}};
  return vcon_text(vcon) + "\n";
}

std::string Base64Url::take(base::ByteView bytes) {
  kept_.insert(kept_.end(), bytes.begin(), bytes.end());
  const std::size_t whole = kept_.size() / 3 * 3;
  std::string out = base::to_base64(base::ByteView(kept_).first(whole));
  kept_.erase(kept_.begin(), kept_.begin() + static_cast<std::ptrdiff_t>(whole));
  to_url_alphabet(out);
  return out;
}

std::string Base64Url::finish() {
  std::string out = base::to_base64(kept_);
  kept_.clear();
  while (out.ends_with('=')) out.pop_back();
  to_url_alphabet(out);
  return out;
}

}  // namespace callvault::disclosure
