// What to find.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "callvault/call_record.h"

namespace callvault {

// All conditions must hold. Numbers in E.164 or in the vault's national form.
struct Query {
  std::optional<std::string> caller, called, agent, call_id;
  std::optional<Time> from, to;    // of the start: from <= start < to
  std::optional<Consent> consent;  // the caller's
  std::optional<Direction> direction;
  // live, held, restricted, gone; `interrupted` is a flag, asked for separately.
  std::optional<State> state;
  bool interrupted_only = false;
  std::optional<std::size_t> limit;
};

}  // namespace callvault
