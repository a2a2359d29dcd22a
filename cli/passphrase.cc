#include "cli/passphrase.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "cli/file_calls.h"
#include "cli/output.h"
#include "cli/signals.h"
#include "cli/text.h"

namespace callvault::cli {
namespace {

constexpr std::size_t kMostPassphraseBytes = 1024;

// Characters of a passphrase, wiped when they go.
class Buffer {
 public:
  Buffer() = default;
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
  ~Buffer() { ::explicit_bzero(bytes_.data(), bytes_.size()); }

  // 1: a byte was added; 0: end of input; -1: errno tells. More than fits sets too_long().
  int read_byte(int fd) {
    char c = 0;
    ssize_t n = 0;
    do n = ::read(fd, &c, 1);
    while (n < 0 && errno == EINTR);
    if (n == 1) {
      if (size_ < bytes_.size())
        bytes_[size_++] = c;
      else
        too_long_ = true;
    }
    ::explicit_bzero(&c, 1);
    return static_cast<int>(n);
  }
  bool ends_with(char c) const { return size_ > 0 && bytes_[size_ - 1] == c; }
  void cut_newline() {
    if (ends_with('\n')) --size_;
    if (ends_with('\r')) --size_;
  }
  bool too_long() const { return too_long_; }
  bool same_as(const Buffer& other) const {
    return size_ == other.size_ &&
           std::equal(bytes_.begin(), bytes_.begin() + static_cast<std::ptrdiff_t>(size_), other.bytes_.begin());
  }
  Result<Passphrase> take() {
    if (too_long_) return fail(Errc::usage, "the passphrase is longer than 1024 bytes");
    return Passphrase::take(std::span(bytes_.data(), size_));
  }

 private:
  std::array<char, kMostPassphraseBytes + 2> bytes_{};
  std::size_t size_ = 0;
  bool too_long_ = false;
};

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() { close(); }
  int get() const { return fd_; }
  void close() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }

 private:
  int fd_;
};

Result<void> read_to_end(int fd, Buffer& buffer, std::string_view what) {
  for (;;) {
    const int n = buffer.read_byte(fd);
    if (n == 0 || buffer.too_long()) break;
    if (n < 0) return fail(Errc::io, fmt::format("cannot read {}: {}", what, std::strerror(errno)));
  }
  buffer.cut_newline();
  return {};
}

void remark_on_mode(const PassphraseSources& sources, int fd) {
  struct stat info {};
  if (sources.remarks == nullptr || ::fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) return;
  if ((info.st_mode & (S_IRGRP | S_IROTH)) == 0) return;
  sources.remarks->warn(
      fmt::format("warning: others can read the passphrase file {0}; run chmod 600 {0}", *sources.file));
}

Result<Passphrase> from_file(const PassphraseSources& sources) {
  if (*sources.file == "-")
    return fail(Errc::usage, fmt::format("{} takes a file, not standard input", sources.file_option));
  const Descriptor fd(open_file(sources.file->c_str(), O_RDONLY));
  if (fd.get() < 0)
    return fail(Errc::io, fmt::format("cannot read the passphrase file {}: {}", *sources.file, std::strerror(errno)));
  Buffer buffer;
  CALLVAULT_TRY(read_to_end(fd.get(), buffer, "the passphrase file " + *sources.file));
  remark_on_mode(sources, fd.get());
  return buffer.take();
}

Result<Passphrase> from_command(const PassphraseSources& sources) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return fail(Errc::unexpected, "cannot make a pipe");
  const Descriptor reading(ends[0]);
  Descriptor writing(ends[1]);
  const char* const line = sources.command->c_str();
  const pid_t child = ::fork();
  if (child < 0) return fail(Errc::unexpected, "cannot start the passphrase command");
  if (child == 0) {
    // Only async-signal-safe calls between fork and exec.
    ::signal(SIGPIPE, SIG_DFL);
    if (::dup2(writing.get(), STDOUT_FILENO) >= 0) ::execl("/bin/sh", "sh", "-c", line, static_cast<char*>(nullptr));
    ::_exit(127);
  }
  writing.close();
  Buffer buffer;
  const auto read = read_to_end(reading.get(), buffer, "the passphrase command's output");
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (!read) return read.error();
  if (buffer.too_long()) return buffer.take();
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
    return fail(Errc::unexpected, WIFEXITED(status)
                                      ? fmt::format("the passphrase command failed with exit {}", WEXITSTATUS(status))
                                      : "the passphrase command was killed");
  return buffer.take();
}

// Asks once on the terminal with echo off.
Result<void> ask(int tty, std::string_view prompt, Buffer& buffer) {
  termios before{};
  if (::tcgetattr(tty, &before) != 0) return fail(Errc::io, "cannot read from the terminal");
  termios silent = before;
  silent.c_lflag &= ~static_cast<tcflag_t>(ECHO | ECHONL);
  silent.c_lflag |= ICANON;
  restore_terminal_on_signal(tty, &before);
  ::tcsetattr(tty, TCSAFLUSH, &silent);
  (void)write_all(tty, fmt::format("{}: ", printable(prompt)));
  int n = 0;
  do n = buffer.read_byte(tty);
  while (n == 1 && !buffer.ends_with('\n') && !buffer.too_long());
  ::tcsetattr(tty, TCSAFLUSH, &before);
  restore_terminal_on_signal(-1, nullptr);
  (void)write_all(tty, "\n");
  if (n < 0) return fail(Errc::io, "cannot read from the terminal");
  buffer.cut_newline();
  return {};
}

Result<Passphrase> from_terminal(const PassphraseSources& sources, std::string_view prompt, bool twice) {
  const Descriptor tty(open_file("/dev/tty", O_RDWR));
  if (tty.get() < 0)
    return fail(Errc::usage, fmt::format("no terminal to ask for a passphrase: give {} or {}", sources.file_option,
                                         sources.command_option));
  Buffer first;
  CALLVAULT_TRY(ask(tty.get(), prompt, first));
  if (twice) {
    Buffer second;
    CALLVAULT_TRY(ask(tty.get(), fmt::format("{} (again)", prompt), second));
    if (!first.same_as(second)) return fail(Errc::usage, "the two passphrases differ");
  }
  return first.take();
}

Result<Passphrase> resolve(const PassphraseSources& sources, std::string_view prompt, bool twice) {
  if (sources.file && sources.command)
    return fail(Errc::usage, fmt::format("give {} or {}, not both", sources.file_option, sources.command_option));
  if (sources.file) return from_file(sources);
  if (sources.command) return from_command(sources);
  return from_terminal(sources, prompt, twice);
}

}  // namespace

PassphraseSources PassphraseSources::with_environment(std::optional<std::string> file,
                                                      std::optional<std::string> command, Output& remarks) {
  PassphraseSources sources;
  sources.remarks = &remarks;
  sources.file = std::move(file);
  sources.command = std::move(command);
  if (sources.file || sources.command) return sources;
  if ((sources.file = environment("CALLVAULT_PASSPHRASE_FILE"))) return sources;
  if ((sources.command = environment("CALLVAULT_PASSPHRASE_COMMAND"))) return sources;
  if (const auto directory = environment("CREDENTIALS_DIRECTORY")) {
    const std::string credential = *directory + "/callvault.passphrase";
    std::error_code ignored;
    if (std::filesystem::exists(credential, ignored)) sources.file = credential;
    sources.remarks = nullptr;
  }
  return sources;
}

Result<Passphrase> resolve_passphrase(const PassphraseSources& sources, std::string_view prompt) {
  return resolve(sources, prompt, false);
}

Result<Passphrase> resolve_new_passphrase(const PassphraseSources& sources, std::string_view prompt) {
  return resolve(sources, prompt, true);
}

}  // namespace callvault::cli
