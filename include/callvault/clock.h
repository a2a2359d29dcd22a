// Where "now" comes from. Policy never asks a clock itself: it is given an instant.
#pragma once

#include <chrono>

namespace callvault {

// An instant in UTC, to the millisecond.
using Time = std::chrono::sys_time<std::chrono::milliseconds>;

class Clock {
 public:
  virtual ~Clock() = default;
  virtual Time now() const = 0;
};

// The host's real-time clock.
const Clock& system_clock();

}  // namespace callvault
