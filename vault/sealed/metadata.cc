#include "sealed/metadata.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "sealed/format.h"

namespace callvault::sealed {
namespace {

using Json = nlohmann::json;

constexpr std::int64_t kMaxTimeMs = 253'402'300'799'999;  // the end of the year 9999

constexpr std::uint64_t kMaxPages = std::uint64_t{1} << 40;  // far beyond any call

// The length of the well-formed UTF-8 sequence at the start of `text` (RFC 3629), or 0.
std::size_t sequence_length(std::string_view text) {
  const auto at = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned lead = at(0);
  if (lead < 0x80) return 1;
  const std::size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || text.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((at(i) & 0xc0) != 0x80) return 0;
  }
  const unsigned second = at(1);
  if ((lead == 0xe0 && second < 0xa0) || (lead == 0xed && second > 0x9f)) return 0;
  if ((lead == 0xf0 && second < 0x90) || (lead == 0xf4 && second > 0x8f)) return 0;
  return length;
}

// Control characters (C0, delete, C1) have no place in a name, and could drive the terminal that shows it.
bool is_clean_text(std::string_view text) {
  while (!text.empty()) {
    const std::size_t length = sequence_length(text);
    if (length == 0) return false;
    const auto first = static_cast<unsigned char>(text[0]);
    if (first < 0x20 || first == 0x7f) return false;
    if (first == 0xc2 && static_cast<unsigned char>(text[1]) < 0xa0) return false;
    text.remove_prefix(length);
  }
  return true;
}

Error bad(Errc code, std::string_view field, std::string_view why) {
  return fail(code, "call metadata: " + std::string(field) + " " + std::string(why));
}

Result<void> validate(const CallMetadata& m, Errc code) {
  if (m.started_at.time_since_epoch().count() < 0 || m.started_at.time_since_epoch().count() > kMaxTimeMs)
    return bad(code, "started_at", "is not between 1970 and 9999");
  const std::pair<std::string_view, const std::string&> texts[] = {
      {"caller", m.caller}, {"called", m.called}, {"agent", m.agent}, {"call_id", m.call_id}, {"notice", m.notice}};
  for (const auto& [name, value] : texts) {
    if (value.size() > kMaxTextBytes) return bad(code, name, "is longer than 128 bytes");
    if (!is_clean_text(value)) return bad(code, name, "holds control characters or is not UTF-8");
  }
  const bool plain = std::all_of(m.retention_class.begin(), m.retention_class.end(),
                                 [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; });
  if (m.retention_class.empty() || m.retention_class.size() > kMaxClassNameBytes || !plain)
    return bad(code, "class", "is not a name of a-z, 0-9 and '-'");
  if (m.consent_offset_ms.value_or(0) > kMaxConsentOffsetMs)
    return bad(code, "consent_offset", "is more than 24 hours");
  const bool is_code = std::all_of(m.consent_method.begin(), m.consent_method.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  });
  if (m.consent_method.size() > kMaxMethodBytes || !is_code)
    return bad(code, "consent_method", "is not a code of at most 32 of a-z, 0-9, '_' and '-'");
  if (m.tracks.empty() || m.tracks.size() > 2) return bad(code, "tracks", "are not one or two");
  if (m.tracks.size() == 2 && m.tracks[0] == m.tracks[1]) return bad(code, "tracks", "repeat a name");
  if (m.sample_rate < kMinSampleRate || m.sample_rate > kMaxSampleRate)
    return bad(code, "sample_rate", "is not between 8000 and 48000");
  return {};
}

// Reads fields of one JSON object; remembers the first that is missing or of the wrong kind.
class Fields {
 public:
  explicit Fields(const Json& object) : object_(object) {}

  std::string text(const char* name) {
    const Json* value = find(name);
    if (value != nullptr && value->is_string()) return value->get_ref<const std::string&>();
    reject(name);
    return {};
  }
  // Empty when absent.
  std::string optional_text(const char* name) { return find(name) == nullptr ? std::string() : text(name); }
  std::uint64_t number(const char* name, std::uint64_t max) {
    const Json* value = find(name);
    if (value != nullptr && value->is_number_unsigned() && value->get<std::uint64_t>() <= max)
      return value->get<std::uint64_t>();
    reject(name);
    return 0;
  }
  std::uint64_t optional_number(const char* name, std::uint64_t max) {
    return find(name) == nullptr ? 0 : number(name, max);
  }
  template <typename T>
  T optional_word(const char* name, Result<T> (*parse)(std::string_view)) {
    return find(name) == nullptr ? T{} : word(name, parse);
  }
  std::optional<bool> optional_flag(const char* name) {
    const Json* value = find(name);
    if (value == nullptr) return std::nullopt;
    if (value->is_boolean()) return value->get<bool>();
    reject(name);
    return std::nullopt;
  }
  template <typename T>
  T word(const char* name, Result<T> (*parse)(std::string_view)) {
    if (auto parsed = parse(text(name))) return *parsed;
    reject(name);
    return T{};
  }
  std::vector<TrackName> tracks(const char* name) {
    std::vector<TrackName> out;
    const Json* value = find(name);
    if (value == nullptr || !value->is_array() || value->size() > 2) {
      reject(name);
      return out;
    }
    for (const Json& item : *value) {
      const auto track = parse_track(item.is_string() ? item.get_ref<const std::string&>() : std::string());
      if (!track) {
        reject(name);
        return {};
      }
      out.push_back(*track);
    }
    return out;
  }
  const std::string& rejected() const { return rejected_; }

 private:
  const Json* find(const char* name) const {
    const auto at = object_.find(name);
    return at == object_.end() ? nullptr : &*at;
  }
  void reject(const char* name) {
    if (rejected_.empty()) rejected_ = name;
  }

  const Json& object_;
  std::string rejected_;
};

}  // namespace

Result<void> validate_metadata(const CallMetadata& metadata) { return validate(metadata, Errc::usage); }

Result<std::string> encode_metadata(const CallMetadata& m) {
  CALLVAULT_TRY(validate_metadata(m));
  Json tracks = Json::array();
  for (const TrackName track : m.tracks) tracks.push_back(to_word(track));
  Json out = {{"started_at_ms", m.started_at.time_since_epoch().count()},
              {"direction", to_word(m.direction)},
              {"class", m.retention_class},
              {"consent", to_word(m.consent)},
              {"basis", to_word(m.basis)},
              {"tracks", std::move(tracks)},
              {"sample_rate", m.sample_rate}};
  const std::pair<const char*, const std::string&> texts[] = {
      {"caller", m.caller}, {"called", m.called}, {"agent", m.agent}, {"call_id", m.call_id}, {"notice", m.notice}};
  for (const auto& [name, value] : texts) {
    if (!value.empty()) out[name] = value;
  }
  if (m.agent_consent != Consent::unknown) out["agent_consent"] = to_word(m.agent_consent);
  if (m.consent_offset_ms) out["consent_offset_ms"] = *m.consent_offset_ms;
  if (!m.consent_method.empty()) out["consent_method"] = m.consent_method;
  if (m.notice_played) out["notice_played"] = *m.notice_played;
  if (m.first_page != 0) out["first_page"] = m.first_page;
  if (m.offset_ms != 0) out["offset_ms"] = m.offset_ms;
  // validate() has refused what dump() could throw on, and keeps the text a tenth of kMetadataMaxBytes.
  return out.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Result<CallMetadata> decode_metadata(std::string_view text) {
  if (text.size() > kMetadataMaxBytes) return fail(Errc::corrupt, "call metadata is longer than it can be");
  const Json object = Json::parse(text.begin(), text.end(), nullptr, /*allow_exceptions=*/false);
  if (!object.is_object()) return fail(Errc::corrupt, "call metadata is not a JSON object");
  Fields fields(object);
  CallMetadata m;
  m.started_at = Time(std::chrono::milliseconds(fields.number("started_at_ms", kMaxTimeMs)));
  m.direction = fields.word("direction", &parse_direction);
  m.caller = fields.optional_text("caller");
  m.called = fields.optional_text("called");
  m.agent = fields.optional_text("agent");
  m.call_id = fields.optional_text("call_id");
  m.retention_class = fields.text("class");
  m.notice = fields.optional_text("notice");
  m.notice_played = fields.optional_flag("notice_played");
  m.consent = fields.word("consent", &parse_consent);
  m.agent_consent = fields.optional_word("agent_consent", &parse_consent);
  if (object.contains("consent_offset_ms"))
    m.consent_offset_ms = fields.number("consent_offset_ms", kMaxConsentOffsetMs);
  m.consent_method = fields.optional_text("consent_method");
  m.basis = fields.word("basis", &parse_basis);
  m.tracks = fields.tracks("tracks");
  m.sample_rate = static_cast<std::uint32_t>(fields.number("sample_rate", kMaxSampleRate));
  m.first_page = fields.optional_number("first_page", kMaxPages);
  m.offset_ms = fields.optional_number("offset_ms", kMaxPages * kChunkMaxMs);
  if (!fields.rejected().empty()) return bad(Errc::corrupt, fields.rejected(), "is missing or malformed");
  CALLVAULT_TRY(validate(m, Errc::corrupt));
  return m;
}

}  // namespace callvault::sealed
