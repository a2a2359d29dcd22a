#include "os/local_socket.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <string>

namespace callvault::os {
namespace {

constexpr int kBacklog = 64;
constexpr int kFirstInherited = 3;  // sd_listen_fds(3)

Error socket_error(const char* what) {
  if (errno == EPIPE || errno == ECONNRESET) return fail(Errc::io, "the other side of the socket is gone");
  return fail(Errc::io, std::string(what) + " the socket: " + std::strerror(errno));
}

Result<sockaddr_un> address_of(const Path& path) {
  sockaddr_un out{};
  out.sun_family = AF_UNIX;
  const std::string text = path.string();
  if (text.empty() || text.size() >= sizeof out.sun_path)
    return fail(Errc::usage, "a socket's path has 1 to 107 bytes: " + text);
  std::memcpy(out.sun_path, text.data(), text.size());
  return out;
}

Result<File> make_socket(const Path& path) {
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return system_error(errno, "cannot make a socket for", path);
  return File(fd, path);
}

const sockaddr* plain(const sockaddr_un& address) { return reinterpret_cast<const sockaddr*>(&address); }

std::optional<long> number_in(const char* variable) {
  const char* text = std::getenv(variable);
  if (text == nullptr) return std::nullopt;
  long out = 0;
  const auto end = text + std::strlen(text);
  const auto parsed = std::from_chars(text, end, out);
  if (parsed.ec != std::errc() || parsed.ptr != end) return std::nullopt;
  return out;
}

union FilesMessage {
  cmsghdr align;
  char bytes[CMSG_SPACE(kMaxPassedFiles * sizeof(int))];
};

void take_files(const msghdr& message, std::vector<File>& files) {
  for (const cmsghdr* c = CMSG_FIRSTHDR(&message); c != nullptr;
       c = CMSG_NXTHDR(const_cast<msghdr*>(&message), const_cast<cmsghdr*>(c))) {
    if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS) continue;
    for (std::size_t i = 0; i < (c->cmsg_len - CMSG_LEN(0)) / sizeof(int); ++i) {
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(c) + i * sizeof fd, sizeof fd);
      files.emplace_back(fd, Path());
    }
  }
}

}  // namespace

Result<LocalSocket> LocalSocket::connect(const Path& path) {
  CALLVAULT_TRY_ASSIGN(const sockaddr_un address, address_of(path));
  CALLVAULT_TRY_ASSIGN(File file, make_socket(path));
  int done = -1;
  do {
    done = ::connect(file.fd(), plain(address), sizeof address);
  } while (done < 0 && errno == EINTR);
  if (done == 0) return LocalSocket(std::move(file));
  if (errno == ECONNREFUSED || errno == ENOENT || errno == EAGAIN)
    return fail(Errc::busy, std::string(errno == EAGAIN ? "too many wait at " : "nobody answers at ") + path.string());
  return system_error(errno, "cannot connect to", path);
}

Result<Peer> LocalSocket::peer() const {
  ucred who{};
  socklen_t size = sizeof who;
  if (::getsockopt(fd(), SOL_SOCKET, SO_PEERCRED, &who, &size) != 0) return socket_error("cannot tell who is at");
  return Peer{who.uid, who.pid};
}

Result<bool> LocalSocket::peer_has_group(unsigned group) const {
  ucred who{};
  socklen_t size = sizeof who;
  if (::getsockopt(fd(), SOL_SOCKET, SO_PEERCRED, &who, &size) != 0) return socket_error("cannot tell who is at");
  if (who.gid == group) return true;
  std::vector<gid_t> groups(1);
  size = sizeof(gid_t);
  if (::getsockopt(fd(), SOL_SOCKET, SO_PEERGROUPS, groups.data(), &size) != 0) {
    if (errno != ERANGE) return socket_error("cannot tell who is at");
    groups.resize(size / sizeof(gid_t));
    if (::getsockopt(fd(), SOL_SOCKET, SO_PEERGROUPS, groups.data(), &size) != 0)
      return socket_error("cannot tell who is at");
  }
  groups.resize(size / sizeof(gid_t));
  return std::find(groups.begin(), groups.end(), group) != groups.end();
}

Result<void> LocalSocket::wait(short events, Deadline deadline) const {
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    if (left.count() <= 0) return fail(Errc::busy, "the other side of the socket does not answer");
    pollfd one{.fd = fd(), .events = events, .revents = 0};
    const int ready = ::poll(&one, 1, static_cast<int>(left.count()));
    if (ready > 0) return {};
    if (ready < 0 && errno != EINTR) return socket_error("cannot wait for");
  }
}

Result<void> LocalSocket::send(ByteView bytes, Deadline deadline) {
  while (!bytes.empty()) {
    const auto n = ::send(fd(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n >= 0) {
      bytes = bytes.subspan(static_cast<std::size_t>(n));
      continue;
    }
    if (errno == EINTR) continue;
    if (errno != EAGAIN && errno != EWOULDBLOCK) return socket_error("cannot write to");
    CALLVAULT_TRY(wait(POLLOUT, deadline));
  }
  return {};
}

Result<void> LocalSocket::send_with_files(ByteView bytes, std::span<const int> files, Deadline deadline) {
  if (files.empty() || files.size() > kMaxPassedFiles) return fail(Errc::unexpected, "too many files for one message");
  FilesMessage control{};
  iovec data{const_cast<std::byte*>(bytes.data()), bytes.size()};
  msghdr message{};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  message.msg_control = control.bytes;
  message.msg_controllen = CMSG_SPACE(files.size_bytes());
  cmsghdr* head = CMSG_FIRSTHDR(&message);
  head->cmsg_level = SOL_SOCKET;
  head->cmsg_type = SCM_RIGHTS;
  head->cmsg_len = CMSG_LEN(files.size_bytes());
  std::memcpy(CMSG_DATA(head), files.data(), files.size_bytes());
  for (;;) {
    const auto n = ::sendmsg(fd(), &message, MSG_NOSIGNAL);
    if (n >= 0) return send(bytes.subspan(static_cast<std::size_t>(n)), deadline);
    if (errno == EINTR) continue;
    if (errno != EAGAIN && errno != EWOULDBLOCK) return socket_error("cannot write to");
    CALLVAULT_TRY(wait(POLLOUT, deadline));
  }
}

Result<void> LocalSocket::receive(MutableBytes out, Deadline deadline, std::vector<File>* files) {
  while (!out.empty()) {
    FilesMessage control{};
    iovec data{out.data(), out.size()};
    msghdr message{};
    message.msg_iov = &data;
    message.msg_iovlen = 1;
    if (files != nullptr) {
      message.msg_control = control.bytes;
      message.msg_controllen = sizeof control.bytes;
    }
    const auto n = ::recvmsg(fd(), &message, MSG_CMSG_CLOEXEC);
    if (n > 0) {
      if (files != nullptr) take_files(message, *files);
      out = out.subspan(static_cast<std::size_t>(n));
      continue;
    }
    if (n == 0) return fail(Errc::io, "the other side of the socket is gone");
    if (errno == EINTR) continue;
    if (errno != EAGAIN && errno != EWOULDBLOCK) return socket_error("cannot read from");
    CALLVAULT_TRY(wait(POLLIN, deadline));
  }
  return {};
}

void LocalSocket::offer(ByteView bytes) { (void)::send(fd(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT); }

Result<std::optional<std::string>> LocalSocket::take_line(std::size_t max_bytes) {
  std::string seen(max_bytes + 1, '\0');
  ssize_t n = -1;
  do {
    n = ::recv(fd(), seen.data(), seen.size(), MSG_PEEK | MSG_DONTWAIT);
  } while (n < 0 && errno == EINTR);
  if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return std::optional<std::string>();
  if (n < 0) return socket_error("cannot read from");
  seen.resize(static_cast<std::size_t>(n));
  const auto end = seen.find('\n');
  if (end == std::string::npos) {
    if (seen.size() > max_bytes) return fail(Errc::usage, "the first line is too long");
    if (seen.empty() || sends_no_more()) return fail(Errc::io, "the other side of the socket is gone");
    return std::optional<std::string>();
  }
  seen.resize(end + 1);
  CALLVAULT_TRY(receive(MutableBytes(reinterpret_cast<std::byte*>(seen.data()), seen.size()), Deadline()));
  seen.pop_back();
  return std::optional(std::move(seen));
}

bool LocalSocket::sends_no_more() const {
  pollfd one{.fd = fd(), .events = POLLRDHUP, .revents = 0};
  return ::poll(&one, 1, 0) > 0 && (one.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
}

void LocalSocket::part(ByteView bytes) {
  offer(bytes);
  (void)::shutdown(fd(), SHUT_RDWR);
  std::array<char, 65536> dropped;
  while (::recv(fd(), dropped.data(), dropped.size(), MSG_DONTWAIT) > 0) {
  }
}

Result<LocalListener> LocalListener::bind(const Path& path) { return make(path, 0666, std::nullopt); }

Result<LocalListener> LocalListener::bind_for(const Path& path, std::optional<std::uint32_t> group) {
  return make(path, group ? 0660 : 0600, group);
}

Result<LocalListener> LocalListener::make(const Path& path, unsigned mode, std::optional<std::uint32_t> group) {
  CALLVAULT_TRY_ASSIGN(const sockaddr_un address, address_of(path));
  if (is_local_socket(path)) {
    if (LocalSocket::connect(path)) return fail(Errc::busy, "another process listens at " + path.string());
    CALLVAULT_TRY(remove_file(path));
  }
  CALLVAULT_TRY_ASSIGN(File file, make_socket(path));
  if (::bind(file.fd(), plain(address), sizeof address) != 0) return system_error(errno, "cannot listen at", path);
  LocalListener out(std::move(file), path);
  if (group && ::chown(path.c_str(), static_cast<uid_t>(-1), *group) != 0)
    return system_error(errno, "cannot set the group of", path);
  CALLVAULT_TRY(set_mode(path, mode));
  if (::listen(out.fd(), kBacklog) != 0) return system_error(errno, "cannot listen at", path);
  return out;
}

Result<std::optional<LocalListener>> LocalListener::inherited() {
  const auto pid = number_in("LISTEN_PID"), count = number_in("LISTEN_FDS");
  if (!pid || *pid != ::getpid() || !count) return std::optional<LocalListener>();
  const auto none = fail(Errc::usage, "the service manager passed something else than one listening local socket");
  if (*count != 1) return none;
  int domain = 0, listens = 0;
  socklen_t size = sizeof domain;
  if (::getsockopt(kFirstInherited, SOL_SOCKET, SO_DOMAIN, &domain, &size) != 0 || domain != AF_UNIX) return none;
  size = sizeof listens;
  if (::getsockopt(kFirstInherited, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) != 0 || listens == 0) return none;
  if (::fcntl(kFirstInherited, F_SETFD, FD_CLOEXEC) != 0 || ::fcntl(kFirstInherited, F_SETFL, O_NONBLOCK) != 0)
    return socket_error("cannot prepare");
  return std::optional(LocalListener(File(kFirstInherited, Path()), Path()));
}

LocalListener::~LocalListener() {
  if (!made_.empty() && file_.is_open()) (void)remove_file(made_);
}

Result<std::optional<LocalSocket>> LocalListener::accept() {
  for (;;) {
    const int fd = ::accept4(file_.fd(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd >= 0) return std::optional(LocalSocket(File(fd, Path())));
    if (errno == EINTR) continue;
    if (errno == EAGAIN || errno == EWOULDBLOCK || errno == ECONNABORTED) return std::optional<LocalSocket>();
    return socket_error("cannot accept at");
  }
}

bool is_local_socket(const Path& path) {
  struct stat st {};
  return ::stat(path.c_str(), &st) == 0 && S_ISSOCK(st.st_mode);
}

Result<std::vector<int>> wait_for_any(std::span<const int> fds, std::chrono::milliseconds patience) {
  std::vector<pollfd> list;
  for (const int fd : fds) list.push_back({.fd = fd, .events = POLLIN, .revents = 0});
  const int ready = ::poll(list.data(), list.size(), static_cast<int>(patience.count()));
  if (ready < 0 && errno != EINTR) return socket_error("cannot wait for");
  std::vector<int> out;
  for (const auto& one : list)
    if (ready > 0 && one.revents != 0) out.push_back(one.fd);
  return out;
}

}  // namespace callvault::os
