// The bytes of an input, in order, through one small buffer; ends when the input does or when asked to stop.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>

#include "base/bytes.h"
#include "callvault/result.h"
#include "os/stream.h"

namespace callvault::codec {

class ByteInput {
 public:
  // `owned` is closed with the input; without it `fd` stays the caller's.
  static Result<ByteInput> open(int fd, os::File owned, std::function<bool()> should_stop);

  // Waits until `out` is full; less only at the end. Errc::io.
  Result<std::size_t> read(base::MutableBytes out);
  // The next `count` bytes without taking them; fewer only at the end. REQUIRES: count <= 64.
  Result<base::ByteView> peek(std::size_t count);
  // How many were there to skip.
  Result<std::uint64_t> skip(std::uint64_t count);

  // While on, all bytes taken are copied to kept().
  void keep(bool on);
  base::Bytes& kept() { return kept_; }

  std::uint64_t offset() const { return offset_; }  // bytes taken
  // Not taken, but here: in the buffer and in the pipe. 0 for a file, where nothing arrives.
  std::uint64_t arrived() const { return kind_.regular ? 0 : end_ - begin_ + os::bytes_arrived(fd_); }
  // From here on what arrives slower than that is let gather until `bytes` are here or `patience` is over.
  void gather(std::size_t bytes, std::chrono::milliseconds patience);
  // So many bytes can be read without waiting.
  bool holds(std::size_t count) const { return end_ - begin_ >= count || arrived() >= count; }
  int fd() const { return fd_; }
  const os::StreamKind& kind() const { return kind_; }
  // From the first byte on, when that is known.
  std::optional<std::uint64_t> size() const;
  bool asked_to_stop() const { return stopping_ || (should_stop_ && should_stop_()); }

 private:
  ByteInput(int fd, os::File owned, std::function<bool()> should_stop, os::StreamKind kind)
      : fd_(fd), owned_(std::move(owned)), should_stop_(std::move(should_stop)), kind_(kind) {}
  Result<void> refill();
  bool let_gather();  // true: it waited
  void take(base::MutableBytes out);

  int fd_;
  os::File owned_;
  std::function<bool()> should_stop_;
  os::StreamKind kind_;
  std::array<std::byte, 4096> buffer_{};
  std::size_t begin_ = 0, end_ = 0;
  std::uint64_t offset_ = 0;
  std::size_t still_wanted_ = 0;  // once stopping: what may still be taken from the pipe
  std::size_t gathered_bytes_ = 0;
  std::chrono::milliseconds gathering_{0};
  bool in_bulk_ = false;  // it comes faster than it is spoken
  bool stopping_ = false;
  bool ended_ = false;
  bool keep_ = false;
  base::Bytes kept_;
};

}  // namespace callvault::codec
