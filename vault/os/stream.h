// Input that arrives when it likes: pipes, terminals, sockets; regular files too.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "os/file.h"

namespace callvault::os {

struct StreamKind {
  bool regular = false;        // has a size and can be read at any place
  std::uint64_t size = 0;      // when regular
  std::uint64_t position = 0;  // where the descriptor stands, when regular
};

// Errc::usage for a folder, io for a descriptor that is none.
Result<StreamKind> examine_stream(int fd);
// Opens a file for reading; a named pipe without waiting for its writer.
Result<File> open_stream(const Path& path);
// What is there, at most out.size(), after waiting at most `patience`. nullopt: nothing yet, or a signal came. 0: end.
Result<std::optional<std::size_t>> read_within(int fd, MutableBytes out, std::chrono::milliseconds patience);
// Returns when nothing more can come, a signal came, or time is over: what comes meanwhile is let gather.
void let_gather(int fd, std::chrono::milliseconds patience);
// What has arrived and can be read at once; 0 when the descriptor cannot tell.
std::size_t bytes_arrived(int fd);
// As File::read_at, on a descriptor that stays the caller's.
Result<std::size_t> read_stream_at(int fd, MutableBytes out, std::uint64_t offset);

}  // namespace callvault::os
