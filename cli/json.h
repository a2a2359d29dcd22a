// One JSON object on one line, written as it is built. Only ASCII comes out, so no data can steer a terminal.
#pragma once

#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace callvault::cli {

class JsonObject {
 public:
  JsonObject& put(std::string_view key, std::string_view value);
  JsonObject& put(std::string_view key, const char* value) { return put(key, std::string_view(value)); }
  JsonObject& put(std::string_view key, bool value);
  JsonObject& put(std::string_view key, double value);  // three decimals at most
  template <std::integral T>
  requires(!std::same_as<T, bool>) JsonObject& put(std::string_view key, T value) {
    return put_raw(key, std::to_string(value));
  }
  JsonObject& put(std::string_view key, const JsonObject& value) { return put_raw(key, value.text()); }
  JsonObject& put(std::string_view key, const std::vector<JsonObject>& values);
  JsonObject& put(std::string_view key, const std::vector<std::string>& values);
  template <typename T>
  JsonObject& put(std::string_view key, const std::optional<T>& value) {
    return value ? put(key, *value) : put_null(key);
  }
  // Empty text means "not known" in a record: null.
  JsonObject& put_known(std::string_view key, std::string_view value) {
    return value.empty() ? put_null(key) : put(key, value);
  }
  JsonObject& put_null(std::string_view key) { return put_raw(key, "null"); }

  std::string text() const { return "{" + body_ + "}"; }

 private:
  JsonObject& put_raw(std::string_view key, std::string_view json);
  std::string body_;
};

}  // namespace callvault::cli
