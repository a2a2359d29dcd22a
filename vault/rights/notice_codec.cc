#include "rights/notice_codec.h"

#include <nlohmann/json.hpp>
#include <set>

#include "base/civil_time.h"
#include "base/text.h"
#include "crypto/hash.h"

namespace callvault::rights {
namespace {

using Json = nlohmann::json;

constexpr int kNoticesVersion = 1;

Error damaged_notices() { return fail(Errc::corrupt, "the register of notices is damaged"); }

// A text of the object; nothing when it is missing or no text.
std::optional<std::string> text_of(const Json& object, const char* key) {
  const auto it = object.find(key);
  if (it == object.end() || !it->is_string()) return std::nullopt;
  return it->get<std::string>();
}

std::optional<Time> time_of(const Json& object, const char* key) {
  const auto text = text_of(object, key);
  if (!text) return std::nullopt;
  const auto time = base::parse_utc(*text);
  return time ? std::optional(*time) : std::nullopt;
}

Result<Notice> notice_of(const Json& json) {
  if (!json.is_object() || json.size() != 7) return damaged_notices();
  const auto version = text_of(json, "version"), sha256 = text_of(json, "sha256"), text = text_of(json, "text"),
             until = text_of(json, "until"), added_by = text_of(json, "added_by");
  const auto from = time_of(json, "from"), added = time_of(json, "added");
  if (!version || !sha256 || !text || !until || !added_by || !from || !added) return damaged_notices();
  Notice out{*version, *sha256, *text, *from, std::nullopt, *added, *added_by};
  if (!until->empty()) {
    out.until = time_of(json, "until");
    if (!out.until) return damaged_notices();
  }
  return out;
}

}  // namespace

bool survives_json(std::string_view text) {
  const Json json(text);
  const Json again = Json::parse(json.dump(-1, ' ', false, Json::error_handler_t::replace), nullptr, false);
  return again == json;
}

std::string encode_notices(const std::vector<Notice>& notices) {
  Json list = Json::array();
  for (const auto& n : notices)
    list.push_back({{"version", n.version},
                    {"sha256", n.sha256},
                    {"from", base::utc_text(n.from)},
                    {"until", n.until ? base::utc_text(*n.until) : ""},
                    {"added", base::utc_text(n.added)},
                    {"added_by", n.added_by},
                    {"text", n.text}});
  return Json{{"version", kNoticesVersion}, {"notices", std::move(list)}}.dump(-1, ' ', false,
                                                                               Json::error_handler_t::replace);
}

Result<std::vector<Notice>> decode_notices(std::string_view text) {
  const Json json = Json::parse(text, nullptr, false);
  if (!json.is_object() || !json.contains("version") || !json["version"].is_number_unsigned()) return damaged_notices();
  if (json["version"].get<std::uint64_t>() > kNoticesVersion)
    return fail(Errc::newer_version, "the register of notices is of a newer version");
  if (!json.contains("notices") || !json["notices"].is_array()) return damaged_notices();
  std::vector<Notice> out;
  std::set<std::string> versions;
  for (const auto& item : json["notices"]) {
    CALLVAULT_TRY_ASSIGN(auto notice, notice_of(item));
    const bool in_order = out.empty() || (out.back().until && *out.back().until <= notice.from);
    const bool has_span = !notice.until || *notice.until > notice.from;
    const bool is_the_text = base::to_hex(crypto::sha256(base::as_bytes(notice.text))) == notice.sha256;
    if (!in_order || !has_span || !is_the_text || !versions.insert(notice.version).second) return damaged_notices();
    out.push_back(std::move(notice));
  }
  return out;
}

}  // namespace callvault::rights
