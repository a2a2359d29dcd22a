// Sockets between processes of one host. Every wait has a deadline; a peer that is silent, slow or gone is an error.
#pragma once

#include <chrono>
#include <optional>
#include <span>
#include <string>

#include "os/file.h"

namespace callvault::os {

using Deadline = std::chrono::steady_clock::time_point;
inline Deadline within(std::chrono::milliseconds patience) { return std::chrono::steady_clock::now() + patience; }

inline constexpr std::size_t kMaxPassedFiles = 64;

// Who is at the other end, by the kernel's word: of a listener, who began to listen.
struct Peer {
  std::uint32_t uid = 0;
  int pid = 0;
};

class LocalSocket {
 public:
  explicit LocalSocket(File file) : file_(std::move(file)) {}
  // Errors: refused (not allowed to), busy (nobody listens, or too many wait), usage (the path is too long).
  static Result<LocalSocket> connect(const Path& path);

  Result<Peer> peer() const;
  // Whether the account at the other end is of that group, by the kernel's word.
  Result<bool> peer_has_group(unsigned group) const;
  // Errors: busy at the deadline, io when the other side is gone.
  Result<void> send(ByteView bytes, Deadline deadline);
  // REQUIRES: bytes are few, files at least one and at most kMaxPassedFiles. The other side gets descriptors of its
  // own.
  Result<void> send_with_files(ByteView bytes, std::span<const int> files, Deadline deadline);
  // Exactly out.size() bytes. Files that come along are taken only when asked for. Errors as send.
  Result<void> receive(MutableBytes out, Deadline deadline, std::vector<File>* files = nullptr);
  // What fits into the socket's buffer at once, for a peer that nothing is waited for.
  void offer(ByteView bytes);
  // The last words. What the other side has sent is dropped first: left there, it would take them away from it.
  void part(ByteView bytes);
  // The first line, without its end, once all of it is here: nothing behind it is taken. nullopt: not yet. Errors:
  // usage when it has more than max_bytes; io when the other side ends before it does.
  Result<std::optional<std::string>> take_line(std::size_t max_bytes);
  // The other side sends no more: what is still to be read is all there is.
  bool sends_no_more() const;

  int fd() const { return file_.fd(); }

 private:
  Result<void> wait(short events, Deadline deadline) const;
  File file_;
};

class LocalListener {
 public:
  // Anybody who reaches its folder may connect. What another process left there is replaced, unless one still listens
  // (busy). Removed when the listener goes.
  static Result<LocalListener> bind(const Path& path);
  // The same for this account and a group alone.
  static Result<LocalListener> bind_for(const Path& path, std::optional<std::uint32_t> group);
  // The one that a service manager passed by the protocol of sd_listen_fds(3), if it did. Errors: usage when it is not
  // exactly one listening local socket.
  static Result<std::optional<LocalListener>> inherited();

  LocalListener(LocalListener&& other) noexcept
      : file_(std::move(other.file_)), made_(std::exchange(other.made_, Path())) {}
  LocalListener& operator=(LocalListener&&) = delete;
  ~LocalListener();

  // nullopt when nobody waits any more.
  Result<std::optional<LocalSocket>> accept();
  int fd() const { return file_.fd(); }

 private:
  static Result<LocalListener> make(const Path& path, unsigned mode, std::optional<std::uint32_t> group);
  LocalListener(File file, Path made) : file_(std::move(file)), made_(std::move(made)) {}
  File file_;
  Path made_;  // empty when it is somebody else's
};

bool is_local_socket(const Path& path);

// Which of `fds` can be read or were hung up, after at most `patience`; none when a signal came.
Result<std::vector<int>> wait_for_any(std::span<const int> fds, std::chrono::milliseconds patience);

}  // namespace callvault::os
