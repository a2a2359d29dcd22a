// Instants in the files of keys/: milliseconds since 1970-01-01T00:00:00Z, u64.
#pragma once

#include <chrono>
#include <cstdint>

#include "callvault/clock.h"

namespace callvault::keys {

inline std::uint64_t to_unix_ms(Time t) { return static_cast<std::uint64_t>(t.time_since_epoch().count()); }
inline Time from_unix_ms(std::uint64_t value) {
  return Time(std::chrono::milliseconds(static_cast<std::int64_t>(value)));
}

}  // namespace callvault::keys
