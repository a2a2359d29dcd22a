// An error as programs see it.
#pragma once

#include "callvault/error.h"
#include "cli/hints.h"
#include "cli/json.h"

namespace callvault::cli {

inline JsonObject error_json(const Error& error, std::string_view command) {
  JsonObject inner;
  inner.put("code", errc_name(error.code)).put("message", error.message).put("hint", hint_for(error, command));
  return JsonObject().put("error", inner);
}

}  // namespace callvault::cli
