// The lines of `entries`, streamed in bounded memory.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "journal/entry.h"
#include "os/file.h"

namespace callvault::journal {

class LineReader {
 public:
  // REQUIRES: `file` outlives it; a line begins at `offset`. Nothing at or behind `limit` is read.
  LineReader(const os::File& file, std::uint64_t offset, std::uint64_t limit)
      : file_(file), start_(offset), limit_(limit) {}

  // The next complete line without its newline, valid until the next call; nothing when no newline follows any more.
  // Errc::corrupt when a line is longer than it can be.
  Result<std::optional<std::string_view>> next();
  // Where the line that `next` gave last begins and ends (behind its newline); when it gave nothing, both are where the
  // torn rest begins.
  std::uint64_t begin() const { return start_ - taken_; }
  std::uint64_t end() const { return start_; }

 private:
  const os::File& file_;
  std::uint64_t start_;  // of what is not given out yet
  std::uint64_t limit_;
  std::string buffer_;       // bytes from start_ - taken_ on, behind used_
  std::size_t used_ = 0;     // of buffer_, given out
  std::uint64_t taken_ = 0;  // size of the last line with its newline
};

}  // namespace callvault::journal
