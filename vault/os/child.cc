#include "os/child.h"

#include <pwd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <vector>

namespace callvault::os {
namespace {

constexpr std::size_t kMaxMessage = 4096;

std::optional<std::string> read_one(int channel, int flags) {
  std::string out(kMaxMessage, '\0');
  ssize_t n = -1;
  do {
    n = ::recv(channel, out.data(), out.size(), flags);
  } while (n < 0 && errno == EINTR);
  if (n <= 0) return std::nullopt;
  out.resize(static_cast<std::size_t>(n));
  return out;
}

}  // namespace

Result<Child> fork_child(const std::function<void(File channel)>& work) {
  int ends[2] = {-1, -1};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
    return fail(Errc::unexpected, "cannot make a channel to a child");
  File ours(ends[0], Path()), theirs(ends[1], Path());
  const pid_t pid = ::fork();
  if (pid < 0) return fail(Errc::unexpected, "cannot make a child process");
  if (pid > 0) return Child{pid, std::move(ours)};
  ours = File();
  work(std::move(theirs));
  ::_exit(0);
}

void close_all_but(std::initializer_list<int> kept) {
  std::vector<int> sorted(kept);
  std::sort(sorted.begin(), sorted.end());
  unsigned from = STDERR_FILENO + 1;
  for (const int fd : sorted) {
    if (static_cast<unsigned>(fd) > from) (void)::close_range(from, static_cast<unsigned>(fd) - 1, 0);
    from = std::max(from, static_cast<unsigned>(fd) + 1);
  }
  (void)::close_range(from, ~0U, 0);
}

void reap(int pid) {
  while (::waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
  }
}

void kill_child(int pid) { (void)::kill(pid, SIGKILL); }

std::optional<std::string> read_message(int channel) { return read_one(channel, MSG_DONTWAIT); }

bool write_message(int channel, std::string_view text) {
  ssize_t n = -1;
  do {
    n = ::send(channel, text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  } while (n < 0 && errno == EINTR);
  return n == static_cast<ssize_t>(text.size());
}

std::optional<std::string> await_message(int channel) { return read_one(channel, 0); }

std::uint32_t own_uid() { return ::geteuid(); }

std::optional<std::uint32_t> uid_of(const std::string& account) {
  std::uint32_t number = 0;
  const auto* end = account.data() + account.size();
  const auto parsed = std::from_chars(account.data(), end, number);
  if (parsed.ec == std::errc() && parsed.ptr == end) return number;
  std::vector<char> room(16384);
  passwd entry{};
  passwd* found = nullptr;
  if (::getpwnam_r(account.c_str(), &entry, room.data(), room.size(), &found) != 0 || found == nullptr)
    return std::nullopt;
  return entry.pw_uid;
}

Result<std::optional<std::uint32_t>> sharing_group(const Path& folder) {
  struct stat st {};
  if (::stat(folder.c_str(), &st) != 0) return system_error(errno, "cannot examine", folder);
  return (st.st_mode & S_IWGRP) != 0 ? std::optional<std::uint32_t>(st.st_gid) : std::nullopt;
}

}  // namespace callvault::os
