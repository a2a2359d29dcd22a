#include "cli/input_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "cli/file_calls.h"

namespace callvault::cli {

Result<std::string> read_input_file(const std::string& path) {
  constexpr std::size_t kMaxBytes = std::size_t{4} << 20;
  const int fd = open_file(path.c_str(), O_RDONLY);
  if (fd < 0) return fail(Errc::io, "cannot open " + path + ": " + std::generic_category().message(errno));
  std::string out;
  std::string block(65536, '\0');
  ssize_t got = 0;
  while (out.size() <= kMaxBytes && ((got = ::read(fd, block.data(), block.size())) > 0 || (got < 0 && errno == EINTR)))
    if (got > 0) out.append(block, 0, static_cast<std::size_t>(got));
  const int error = errno;
  (void)::close(fd);
  if (got < 0) return fail(Errc::io, "cannot read " + path + ": " + std::generic_category().message(error));
  if (out.size() > kMaxBytes) return fail(Errc::usage, path + " is larger than 4 MiB");
  return out;
}

}  // namespace callvault::cli
