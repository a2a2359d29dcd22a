#include "codec/byte_input.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace callvault::codec {
namespace {

constexpr std::chrono::milliseconds kPatience{200};
// When asked to stop, what the recorder has already written still belongs to the call: a pipe holds this much,
// a socket may hold more.
constexpr std::size_t kPipeBytes = 65536;
constexpr std::size_t kBulk = 4;  // as much as that at once is nobody speaking

}  // namespace

Result<ByteInput> ByteInput::open(int fd, os::File owned, std::function<bool()> should_stop) {
  if (owned.is_open()) fd = owned.fd();
  CALLVAULT_TRY_ASSIGN(const auto kind, os::examine_stream(fd));
  return ByteInput(fd, std::move(owned), std::move(should_stop), kind);
}

std::optional<std::uint64_t> ByteInput::size() const {
  if (!kind_.regular) return std::nullopt;
  return kind_.size - std::min(kind_.size, kind_.position);
}

void ByteInput::gather(std::size_t bytes, std::chrono::milliseconds patience) {
  if (kind_.regular) return;
  gathered_bytes_ = bytes;
  gathering_ = patience;
}

// Fifty packets a second are not fifty reasons to wake up.
bool ByteInput::let_gather() {
  if (in_bulk_ || gathered_bytes_ == 0 || os::bytes_arrived(fd_) >= gathered_bytes_) return false;
  os::let_gather(fd_, gathering_);
  in_bulk_ = os::bytes_arrived(fd_) > kBulk * gathered_bytes_;
  return true;
}

// REQUIRES: room behind end_. Adds at least one byte, or sets ended_.
Result<void> ByteInput::refill() {
  while (!ended_) {
    if (!stopping_ && should_stop_ && should_stop_()) {
      stopping_ = true;
      still_wanted_ = kind_.regular ? 0 : std::max(kPipeBytes, os::bytes_arrived(fd_));
    }
    if (!stopping_) {
      const bool waited = let_gather();
      if (waited && should_stop_ && should_stop_()) continue;
    }
    auto room = base::MutableBytes(buffer_).subspan(end_);
    if (stopping_) room = room.first(std::min(room.size(), still_wanted_));
    if (room.empty()) {
      ended_ = true;
      break;
    }
    CALLVAULT_TRY_ASSIGN(const auto got,
                         os::read_within(fd_, room, stopping_ ? std::chrono::milliseconds(0) : kPatience));
    if (got && *got > 0) {
      in_bulk_ = in_bulk_ && (*got == room.size() || *got >= gathered_bytes_);
      end_ += *got;
      if (stopping_) still_wanted_ -= *got;
      break;
    }
    if (got || stopping_) ended_ = true;
  }
  return {};
}

void ByteInput::take(base::MutableBytes out) {
  std::copy_n(buffer_.begin() + static_cast<std::ptrdiff_t>(begin_), out.size(), out.begin());
  begin_ += out.size();
  offset_ += out.size();
  if (keep_) kept_.insert(kept_.end(), out.begin(), out.end());
}

Result<std::size_t> ByteInput::read(base::MutableBytes out) {
  std::size_t done = 0;
  while (done < out.size()) {
    if (begin_ == end_) {
      begin_ = end_ = 0;
      CALLVAULT_TRY(refill());
      if (begin_ == end_) break;
    }
    const std::size_t count = std::min(out.size() - done, end_ - begin_);
    take(out.subspan(done, count));
    done += count;
  }
  return done;
}

Result<base::ByteView> ByteInput::peek(std::size_t count) {
  if (buffer_.size() - begin_ < count) {
    std::copy(buffer_.begin() + static_cast<std::ptrdiff_t>(begin_),
              buffer_.begin() + static_cast<std::ptrdiff_t>(end_), buffer_.begin());
    end_ -= begin_;
    begin_ = 0;
  }
  while (end_ - begin_ < count && !ended_) CALLVAULT_TRY(refill());
  return base::ByteView(buffer_).subspan(begin_, std::min(count, end_ - begin_));
}

Result<std::uint64_t> ByteInput::skip(std::uint64_t count) {
  std::array<std::byte, 256> dropped;
  std::uint64_t done = 0;
  while (done < count) {
    const auto part = static_cast<std::size_t>(std::min<std::uint64_t>(count - done, dropped.size()));
    CALLVAULT_TRY_ASSIGN(const std::size_t got, read(base::MutableBytes(dropped).first(part)));
    done += got;
    if (got < part) break;
  }
  return done;
}

void ByteInput::keep(bool on) {
  keep_ = on;
  if (!on) kept_ = base::Bytes();
}

}  // namespace callvault::codec
