#include "cli/json.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

namespace callvault::cli {
namespace {

std::string json_string(std::string_view text) {
  return nlohmann::json(text).dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
}

}  // namespace

JsonObject& JsonObject::put_raw(std::string_view key, std::string_view json) {
  if (!body_.empty()) body_ += ',';
  body_.append(json_string(key)).append(":").append(json);
  return *this;
}

JsonObject& JsonObject::put(std::string_view key, std::string_view value) { return put_raw(key, json_string(value)); }

JsonObject& JsonObject::put(std::string_view key, bool value) { return put_raw(key, value ? "true" : "false"); }

JsonObject& JsonObject::put(std::string_view key, double value) {
  std::string text = fmt::format("{:.3f}", value);
  while (text.back() == '0') text.pop_back();
  if (text.back() == '.') text.pop_back();
  return put_raw(key, text);
}

JsonObject& JsonObject::put(std::string_view key, const std::vector<JsonObject>& values) {
  std::string list;
  for (const auto& value : values) list.append(list.empty() ? "" : ",").append(value.text());
  return put_raw(key, "[" + list + "]");
}

JsonObject& JsonObject::put(std::string_view key, const std::vector<std::string>& values) {
  std::string list;
  for (const auto& value : values) list.append(list.empty() ? "" : ",").append(json_string(value));
  return put_raw(key, "[" + list + "]");
}

}  // namespace callvault::cli
