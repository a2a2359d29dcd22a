#include "os/stream.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string>

namespace callvault::os {
namespace {

Error stream_error(const char* what) { return system_error(errno, what, "the input"); }

}  // namespace

Result<StreamKind> examine_stream(int fd) {
  struct stat st {};
  if (::fstat(fd, &st) < 0) return stream_error("cannot examine");
  if (S_ISDIR(st.st_mode)) return fail(Errc::usage, "the input is a folder");
  StreamKind out;
  if (S_ISREG(st.st_mode)) {
    const off_t at = ::lseek(fd, 0, SEEK_CUR);
    if (at < 0) return stream_error("cannot examine");
    out = {.regular = true, .size = static_cast<std::uint64_t>(st.st_size), .position = static_cast<std::uint64_t>(at)};
  }
  return out;
}

Result<File> open_stream(const Path& path) {
  int fd = -1;
  do {
    fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
  } while (fd < 0 && errno == EINTR);
  if (fd < 0) return system_error(errno, "cannot open", path);
  return File(fd, path);
}

Result<std::optional<std::size_t>> read_within(int fd, MutableBytes out, std::chrono::milliseconds patience) {
  pollfd wait{.fd = fd, .events = POLLIN, .revents = 0};
  const int ready = ::poll(&wait, 1, static_cast<int>(patience.count()));
  if (ready == 0 || (ready < 0 && errno == EINTR)) return std::optional<std::size_t>();
  if (ready < 0) return stream_error("cannot wait for");
  const auto n = ::read(fd, out.data(), out.size());
  if (n >= 0) return std::optional<std::size_t>(static_cast<std::size_t>(n));
  if (errno == EINTR || errno == EAGAIN) return std::optional<std::size_t>();
  return stream_error("cannot read");
}

void let_gather(int fd, std::chrono::milliseconds patience) {
  pollfd end{.fd = fd, .events = POLLRDHUP, .revents = 0};
  (void)::poll(&end, 1, static_cast<int>(patience.count()));
}

std::size_t bytes_arrived(int fd) {
  int count = 0;
  return ::ioctl(fd, FIONREAD, &count) == 0 && count > 0 ? static_cast<std::size_t>(count) : 0;
}

Result<std::size_t> read_stream_at(int fd, MutableBytes out, std::uint64_t offset) {
  std::size_t done = 0;
  while (done < out.size()) {
    const auto n = ::pread(fd, out.data() + done, out.size() - done, static_cast<off_t>(offset + done));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return stream_error("cannot read");
    if (n == 0) break;
    done += static_cast<std::size_t>(n);
  }
  return done;
}

}  // namespace callvault::os
