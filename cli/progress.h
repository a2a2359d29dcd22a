// A progress bar on stderr, only where a person is looking.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "callvault/options.h"
#include "cli/output.h"

namespace callvault::cli {

class ProgressBar {
 public:
  ProgressBar(const Output& output, std::string what);
  ~ProgressBar() { clear(); }
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;

  // For the engine's options; empty when nobody is looking. Lives no longer than the bar.
  Progress callback();
  // A count of bytes whose end is not known.
  void bytes(std::uint64_t done);
  void clear();

 private:
  void draw(const std::string& text);
  bool due();

  std::string what_;
  bool shown_ = false, drawn_ = false;
  std::chrono::steady_clock::time_point last_{};
};

}  // namespace callvault::cli
