// Reads the records of a register: named fields, each of the kind it must be. What is missing or of another kind is
// remembered as damage, and asked for once at the end.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/civil_time.h"

namespace callvault::context {

class JsonFields {
 public:
  // REQUIRES: `json` outlives it.
  explicit JsonFields(const nlohmann::json& json) : json_(json), ok_(json.is_object()) {}

  std::string text(const char* key) {
    if (!has(key) || !json_[key].is_string()) return spoilt<std::string>();
    return json_[key].get<std::string>();
  }
  bool flag(const char* key) {
    if (!has(key) || !json_[key].is_boolean()) return spoilt<bool>();
    return json_[key].get<bool>();
  }
  std::uint64_t number(const char* key) {
    if (!has(key) || !json_[key].is_number_unsigned()) return spoilt<std::uint64_t>();
    return json_[key].get<std::uint64_t>();
  }
  Time time(const char* key) { return time_of(text(key)); }
  // Written as "" when there is none.
  std::optional<Time> known_time(const char* key) {
    const std::string value = text(key);
    return value.empty() ? std::nullopt : std::optional(time_of(value));
  }
  template <typename T>
  T word(const char* key, Result<T> (*parse)(std::string_view)) {
    const auto parsed = parse(text(key));
    return parsed ? *parsed : spoilt<T>();
  }
  const nlohmann::json& list(const char* key) {
    static const nlohmann::json kNone = nlohmann::json::array();
    if (has(key) && json_[key].is_array()) return json_[key];
    ok_ = false;
    return kNone;
  }
  std::vector<std::string> texts(const char* key, std::size_t most) {
    std::vector<std::string> out;
    const auto& items = list(key);
    ok_ = ok_ && items.size() <= most;
    for (const auto& item : items) {
      ok_ = ok_ && item.is_string();
      if (ok_) out.push_back(item.get<std::string>());
    }
    return out;
  }
  bool ok() const { return ok_; }

 private:
  bool has(const char* key) const { return ok_ && json_.contains(key); }
  template <typename T>
  T spoilt() {
    ok_ = false;
    return T{};
  }
  Time time_of(const std::string& value) {
    const auto parsed = base::parse_utc(value);
    return parsed ? *parsed : spoilt<Time>();
  }

  const nlohmann::json& json_;
  bool ok_;
};

inline std::string known_time_text(const std::optional<Time>& time) { return time ? base::utc_text(*time) : ""; }

}  // namespace callvault::context
