// A lock between processes, with a deadline: nobody waits for ever behind a stopped process.
#pragma once

#include <chrono>

#include "os/file.h"

namespace callvault::os {

enum class LockMode : std::uint8_t { shared, exclusive };

class Lock {
 public:
  // Errc::busy at the deadline: "vault busy: process 1234 has held <path> for 30 s". The lock file is made if missing.
  static Result<Lock> acquire(const Path& path, LockMode mode, std::chrono::milliseconds patience);

  LockMode mode() const { return mode_; }

 private:
  Lock(File file, LockMode mode) : file_(std::move(file)), mode_(mode) {}
  File file_;
  LockMode mode_;
};

}  // namespace callvault::os
