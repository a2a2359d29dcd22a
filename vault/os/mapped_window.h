// A stretch of a file in memory, without a copy.
#pragma once

#include "os/file.h"

namespace callvault::os {

// Mapped for reading while it lives. Only for files that nobody makes shorter: to touch a page that is no longer there
// ends the process.
class MappedWindow {
 public:
  // Every page is fetched before this returns, so that a failing disk is an error here and no signal later.
  // Errors: io; refused when this host cannot do it (then read instead). REQUIRES: the file holds the stretch.
  static Result<MappedWindow> open(const File& file, std::uint64_t offset, std::size_t bytes);

  MappedWindow(MappedWindow&& other) noexcept;
  MappedWindow(const MappedWindow&) = delete;
  MappedWindow& operator=(const MappedWindow&) = delete;
  MappedWindow& operator=(MappedWindow&&) = delete;
  ~MappedWindow();

  ByteView bytes() const { return bytes_; }

 private:
  MappedWindow(void* start, std::size_t length, ByteView bytes) : start_(start), length_(length), bytes_(bytes) {}
  void* start_;
  std::size_t length_;
  ByteView bytes_;
};

}  // namespace callvault::os
