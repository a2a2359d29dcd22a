// Byte strings and bounded reading and writing of little-endian fields.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace callvault::base {

using Bytes = std::vector<std::byte>;
using ByteView = std::span<const std::byte>;
using MutableBytes = std::span<std::byte>;

static_assert(std::endian::native == std::endian::little, "the formats are little-endian; big-endian hosts need swaps");

inline ByteView as_bytes(std::string_view text) { return std::as_bytes(std::span(text.data(), text.size())); }
inline std::string_view as_text(ByteView bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }
inline Bytes to_bytes(ByteView bytes) { return {bytes.begin(), bytes.end()}; }

// Writes fields into memory the caller owns. `ok()` turns false, for good, when it does not fit.
class FieldWriter {
 public:
  explicit FieldWriter(MutableBytes out) : out_(out) {}

  template <typename T>
  void number(T value) {
    static_assert(std::is_integral_v<T> && std::is_unsigned_v<T>);
    bytes(std::as_bytes(std::span(&value, 1)));
  }
  void bytes(ByteView data) {
    if (!ok_ || data.size() > out_.size() - used_) {
      ok_ = false;
      return;
    }
    std::copy(data.begin(), data.end(), out_.begin() + static_cast<std::ptrdiff_t>(used_));
    used_ += data.size();
  }
  void zeros(std::size_t count) {
    if (!ok_ || count > out_.size() - used_) {
      ok_ = false;
      return;
    }
    std::fill_n(out_.begin() + static_cast<std::ptrdiff_t>(used_), count, std::byte{0});
    used_ += count;
  }
  // A length (u16), then the bytes.
  void text(std::string_view value) {
    if (value.size() > 0xffff) {
      ok_ = false;
      return;
    }
    number(static_cast<std::uint16_t>(value.size()));
    bytes(as_bytes(value));
  }
  std::size_t used() const { return used_; }
  bool ok() const { return ok_; }

 private:
  MutableBytes out_;
  std::size_t used_ = 0;
  bool ok_ = true;
};

// Reads fields. Past the end every read gives zeros and `ok()` turns false, for good.
class FieldReader {
 public:
  explicit FieldReader(ByteView in) : in_(in) {}

  template <typename T>
  T number() {
    static_assert(std::is_integral_v<T> && std::is_unsigned_v<T>);
    T value = 0;
    const ByteView raw = bytes(sizeof(T));
    if (raw.size() == sizeof(T)) std::memcpy(&value, raw.data(), sizeof(T));
    return value;
  }
  ByteView bytes(std::size_t count) {
    if (!ok_ || count > in_.size() - used_) {
      ok_ = false;
      return {};
    }
    const ByteView out = in_.subspan(used_, count);
    used_ += count;
    return out;
  }
  template <std::size_t N>
  std::array<std::byte, N> array() {
    std::array<std::byte, N> out{};
    const ByteView raw = bytes(N);
    if (raw.size() == N) std::copy(raw.begin(), raw.end(), out.begin());
    return out;
  }
  std::string text() {
    const auto length = number<std::uint16_t>();
    return std::string(as_text(bytes(length)));
  }
  std::size_t used() const { return used_; }
  std::size_t left() const { return in_.size() - used_; }
  bool ok() const { return ok_; }

 private:
  ByteView in_;
  std::size_t used_ = 0;
  bool ok_ = true;
};

}  // namespace callvault::base
