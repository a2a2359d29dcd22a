#include "cli/sinks.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

#include "cli/file_calls.h"
#include "cli/signals.h"

namespace callvault::cli {
namespace {

Error failed(std::string_view what, const std::string& object) {
  return fail(errno == ENOSPC || errno == EDQUOT ? Errc::no_space : Errc::io,
              fmt::format("cannot {} {}: {}", what, object, std::strerror(errno)));
}

std::string_view as_text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace

Result<void> StdoutSink::write(std::span<const std::byte> bytes) {
  if (!write_all(STDOUT_FILENO, as_text(bytes))) return failed("write to", "standard output");
  return {};
}

FileSink::~FileSink() {
  if (fd_ < 0) return;
  ::close(fd_);
  ::unlink(path_.c_str());
  remove_on_signal(nullptr);
}

Result<void> FileSink::check() const {
  struct stat status {};
  if (::lstat(path_.c_str(), &status) != 0) {
    if (errno == ENOENT) return {};
    return failed("look at", path_.string());
  }
  if (!S_ISREG(status.st_mode)) return fail(Errc::usage, fmt::format("{} is not a regular file", path_.string()));
  if (!replace_) return fail(Errc::usage, fmt::format("{} exists; --force replaces it", path_.string()));
  return {};
}

Result<void> FileSink::open() {
  CALLVAULT_TRY(check());
  if (replace_ && ::unlink(path_.c_str()) != 0 && errno != ENOENT) return failed("replace", path_.string());
  fd_ = open_file(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
  if (fd_ < 0) return failed("create", path_.string());
  remove_on_signal(path_.c_str());
  return {};
}

Result<void> FileSink::write(std::span<const std::byte> bytes) {
  if (fd_ < 0) CALLVAULT_TRY(open());
  if (!write_all(fd_, as_text(bytes))) return failed("write", path_.string());
  written_ += bytes.size();
  if (on_bytes_) on_bytes_(written_);
  return {};
}

Result<void> FileSink::finish() {
  if (fd_ < 0) CALLVAULT_TRY(open());
  if (!sync_file(fd_)) return failed("write", path_.string());
  const int fd = fd_;
  remove_on_signal(nullptr);
  fd_ = -1;
  if (::close(fd) != 0 && errno != EINTR) {
    const Error error = failed("write", path_.string());
    ::unlink(path_.c_str());
    return error;
  }
  return {};
}

NewFileSink::~NewFileSink() {
  if (fd_ < 0) return;
  ::close(fd_);
  ::unlink(part_.c_str());
  remove_on_signal(nullptr);
}

Result<void> NewFileSink::check() const {
  struct stat status {};
  if (::lstat(path_.c_str(), &status) == 0) return fail(Errc::usage, fmt::format("{} exists", path_.string()));
  if (errno != ENOENT) return failed("look at", path_.string());
  return {};
}

Result<void> NewFileSink::open() {
  CALLVAULT_TRY(check());
  part_ = fmt::format("{}.{}.part", path_.string(), ::getpid());
  fd_ = open_file(part_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
  if (fd_ < 0) return failed("create", part_);
  remove_on_signal(part_.c_str());
  return {};
}

Result<void> NewFileSink::write(std::span<const std::byte> bytes) {
  if (!write_all(fd_, as_text(bytes))) return failed("write", path_.string());
  return {};
}

Result<void> NewFileSink::finish() {
  if (!sync_file(fd_)) return failed("write", path_.string());
  // Some file systems know no such rename; there nobody else's file is looked for a second time.
  int renamed = ::renameat2(AT_FDCWD, part_.c_str(), AT_FDCWD, path_.c_str(), RENAME_NOREPLACE);
  if (renamed != 0 && (errno == EINVAL || errno == ENOSYS)) {
    CALLVAULT_TRY(check());
    renamed = ::rename(part_.c_str(), path_.c_str());
  }
  if (renamed != 0 && errno == EEXIST) return fail(Errc::usage, fmt::format("{} exists", path_.string()));
  if (renamed != 0) return failed("create", path_.string());
  remove_on_signal(nullptr);
  ::close(std::exchange(fd_, -1));
  return {};
}

Result<void> replace_file(const std::filesystem::path& path, std::string_view text) {
  const std::string temporary = fmt::format("{}.{}.tmp", path.string(), ::getpid());
  const int fd = open_file(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
  if (fd < 0) return failed("create", temporary);
  const bool written = write_all(fd, text) && ::fchmod(fd, 0644) == 0 && sync_file(fd);
  if (!written) {
    const Error error = failed("write", temporary);
    ::close(fd);
    ::unlink(temporary.c_str());
    return error;
  }
  ::close(fd);
  if (::rename(temporary.c_str(), path.c_str()) != 0) {
    const Error error = failed("replace", path.string());
    ::unlink(temporary.c_str());
    return error;
  }
  return {};
}

}  // namespace callvault::cli
