// Values as bytes on the socket: fixed-width little-endian numbers, lengths before texts and lists, a byte before what
// may be missing, structs member by member. Both ends are of one version (see protocol.h), so nothing is named.
// Decoding is bounded by the bytes there are: it never allocates for more items than can follow.
#pragma once

#include <bit>
#include <chrono>
#include <concepts>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/bytes.h"
#include "callvault/audio.h"
#include "callvault/breach.h"
#include "callvault/call_record.h"
#include "callvault/reports.h"
#include "service/shape.h"

namespace callvault::service {

using base::Bytes;
using base::ByteView;

// The last value of an enumeration that has no words, or that calls another value than zero "unknown".
template <typename E>
inline constexpr std::optional<E> kLast{};
template <>
inline constexpr std::optional<TrackChoice> kLast<TrackChoice>{TrackChoice::both};
template <>
inline constexpr std::optional<PlayFormat> kLast<PlayFormat>{PlayFormat::opus};
template <>
inline constexpr std::optional<Decision> kLast<Decision>{Decision::refuse};
template <>
inline constexpr std::optional<Errc> kLast<Errc>{Errc::interrupted};
template <>
inline constexpr std::optional<DoctorFinding::Level> kLast<DoctorFinding::Level>{DoctorFinding::Level::danger};

template <>
inline constexpr std::optional<NoticeState> kLast<NoticeState>{NoticeState::not_in_force};
template <>
inline constexpr std::optional<Exposure::Kind> kLast<Exposure::Kind>{Exposure::Kind::backup};

template <typename E>
constexpr bool is_known(E value) {
  if constexpr (kLast<E>)
    return value <= *kLast<E>;
  else  // a value without a word is none; the word of zero may be "unknown" itself
    return static_cast<unsigned>(value) == 0 || to_word(value) != "unknown";
}

template <typename T, template <typename...> typename Of>
inline constexpr bool kIs = false;
template <template <typename...> typename Of, typename... A>
inline constexpr bool kIs<Of<A...>, Of> = true;

template <typename T>
void encode(Bytes& out, const T& value) {
  const auto raw = [&out](const auto& number) {
    const ByteView bytes = std::as_bytes(std::span(&number, 1));
    out.insert(out.end(), bytes.begin(), bytes.end());
  };
  const auto sized = [&](ByteView bytes) {
    raw(static_cast<std::uint32_t>(bytes.size()));
    out.insert(out.end(), bytes.begin(), bytes.end());
  };
  if constexpr (std::same_as<T, bool>) {
    out.push_back(std::byte{value});
  } else if constexpr (std::is_enum_v<T>) {
    out.push_back(static_cast<std::byte>(value));
  } else if constexpr (std::is_arithmetic_v<T>) {
    raw(value);
  } else if constexpr (std::convertible_to<const T&, std::string_view>) {
    sized(base::as_bytes(value));
  } else if constexpr (std::same_as<T, Bytes>) {
    sized(value);
  } else if constexpr (std::same_as<T, RecordingId>) {
    out.insert(out.end(), value.bytes().begin(), value.bytes().end());
  } else if constexpr (std::same_as<T, Time>) {
    raw(value.time_since_epoch().count());
  } else if constexpr (std::same_as<T, std::chrono::milliseconds>) {
    raw(value.count());
  } else if constexpr (kIs<T, std::optional>) {
    encode(out, value.has_value());
    if (value) encode(out, *value);
  } else if constexpr (kIs<T, std::vector> || kIs<T, std::map>) {
    raw(static_cast<std::uint32_t>(value.size()));
    for (const auto& item : value) encode(out, item);
  } else if constexpr (kIs<T, std::variant>) {
    out.push_back(static_cast<std::byte>(value.index()));
    std::visit([&](const auto& held) { encode(out, held); }, value);
  } else if constexpr (kIs<T, std::pair>) {
    encode(out, value.first);
    encode(out, value.second);
  } else {
    std::apply([&](const auto&... member) { (encode(out, member), ...); }, members_of(value));
  }
}

// Zeros once something was missing or is no value of its type; `ok` tells.
class Decoder {
 public:
  explicit Decoder(ByteView in) : in_(in) {}

  template <typename T>
  T get() {
    T out{};
    read(out);
    return out;
  }
  template <std::size_t N>
  std::array<std::byte, N> bytes() {
    return in_.array<N>();
  }
  bool ok() const { return ok_ && in_.ok(); }
  // ... and nothing is left.
  bool done() const { return ok() && in_.left() == 0; }

 private:
  template <typename T>
  void raw(T& out) {
    const ByteView bytes = in_.bytes(sizeof(T));
    if (bytes.size() == sizeof(T)) std::memcpy(&out, bytes.data(), sizeof(T));
  }

  template <typename T>
  void read(T& out) {
    if constexpr (std::same_as<T, bool>) {
      const auto byte = in_.number<std::uint8_t>();
      ok_ = ok_ && byte <= 1;
      out = byte == 1;
    } else if constexpr (std::is_enum_v<T>) {
      const auto value = static_cast<T>(in_.number<std::uint8_t>());
      ok_ = ok_ && is_known(value);
      if (ok_) out = value;
    } else if constexpr (std::is_arithmetic_v<T>) {
      raw(out);
    } else if constexpr (std::same_as<T, std::string>) {
      out = base::as_text(in_.bytes(in_.number<std::uint32_t>()));
    } else if constexpr (std::same_as<T, Bytes>) {
      out = base::to_bytes(in_.bytes(in_.number<std::uint32_t>()));
    } else if constexpr (std::same_as<T, RecordingId>) {
      out = RecordingId(in_.array<RecordingId::kBytes>());
    } else if constexpr (std::same_as<T, Time>) {
      out = Time(get<std::chrono::milliseconds>());
    } else if constexpr (std::same_as<T, std::chrono::milliseconds>) {
      std::int64_t count = 0;
      raw(count);
      out = std::chrono::milliseconds(count);
    } else if constexpr (kIs<T, std::optional>) {
      if (get<bool>()) out = get<typename T::value_type>();
    } else if constexpr (kIs<T, std::pair>) {
      read(out.first);
      read(out.second);
    } else if constexpr (kIs<T, std::variant>) {
      read_alternative(out, in_.number<std::uint8_t>(), std::make_index_sequence<std::variant_size_v<T>>());
    } else if constexpr (kIs<T, std::vector>) {
      for (auto left = count_items(); left > 0 && ok(); --left) out.push_back(get<typename T::value_type>());
    } else if constexpr (kIs<T, std::map>) {
      for (auto left = count_items(); left > 0 && ok(); --left) {
        auto key = get<typename T::key_type>();
        ok_ = ok_ && (out.empty() || out.rbegin()->first < key);  // one way to write it
        out.insert_or_assign(std::move(key), get<typename T::mapped_type>());
      }
    } else {
      std::apply([&](auto&... member) { (read(member), ...); }, members_of(out));
    }
  }

  template <typename T, std::size_t... I>
  void read_alternative(T& out, std::size_t index, std::index_sequence<I...>) {
    const bool found = ((index == I && (read(out.template emplace<I>()), true)) || ...);
    ok_ = ok_ && found;
  }

  // Every item has at least a byte.
  std::uint32_t count_items() {
    const auto count = in_.number<std::uint32_t>();
    ok_ = ok_ && count <= in_.left();
    return ok_ ? count : 0;
  }

  base::FieldReader in_;
  bool ok_ = true;
};

}  // namespace callvault::service
