#include "cli/file_calls.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

namespace callvault::cli {

int open_file(const char* path, int flags, unsigned mode) {
  int fd = -1;
  do fd = ::open(path, flags | O_CLOEXEC | O_NOCTTY, mode);
  while (fd < 0 && errno == EINTR);
  return fd;
}

bool sync_file(int fd) {
  int done = -1;
  do done = ::fsync(fd);
  while (done != 0 && errno == EINTR);
  return done == 0 || errno == EINVAL;  // what is no file needs none
}

bool write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t n = ::write(fd, text.data(), text.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return false;
    text.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

}  // namespace callvault::cli
