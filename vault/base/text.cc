#include "base/text.h"

#include <array>

namespace callvault::base {
namespace {

constexpr std::string_view kHex = "0123456789abcdef";
constexpr std::string_view kBase32 = "abcdefghijklmnopqrstuvwxyz234567";
constexpr std::string_view kBase64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

// All three are the same thing: the bytes' bits, cut into groups of `bits`.
std::string encode_bits(ByteView bytes, unsigned bits, std::string_view alphabet) {
  std::string out;
  out.reserve((bytes.size() * 8 + bits - 1) / bits);
  unsigned pending = 0;
  unsigned count = 0;
  for (const std::byte b : bytes) {
    pending = pending << 8 | std::to_integer<unsigned>(b);
    count += 8;
    while (count >= bits) {
      count -= bits;
      out.push_back(alphabet[pending >> count & ((1U << bits) - 1)]);
    }
    pending &= (1U << count) - 1;
  }
  if (count > 0) out.push_back(alphabet[pending << (bits - count) & ((1U << bits) - 1)]);
  return out;
}

std::optional<Bytes> decode_bits(std::string_view text, unsigned bits, std::string_view alphabet) {
  Bytes out;
  out.reserve(text.size() * bits / 8);
  unsigned pending = 0;
  unsigned count = 0;
  for (const char c : text) {
    const auto at = alphabet.find(c);
    if (at == std::string_view::npos) return std::nullopt;
    pending = pending << bits | static_cast<unsigned>(at);
    count += bits;
    if (count >= 8) {
      count -= 8;
      out.push_back(static_cast<std::byte>(pending >> count));
      pending &= (1U << count) - 1;
    }
  }
  if (count >= bits || pending != 0) return std::nullopt;
  return out;
}

}  // namespace

std::string to_hex(ByteView bytes) { return encode_bits(bytes, 4, kHex); }
std::optional<Bytes> from_hex(std::string_view text) { return decode_bits(text, 4, kHex); }
std::string to_base32(ByteView bytes) { return encode_bits(bytes, 5, kBase32); }
std::optional<Bytes> from_base32(std::string_view text) { return decode_bits(text, 5, kBase32); }

std::string to_base64(ByteView bytes) {
  std::string out = encode_bits(bytes, 6, kBase64);
  out.append((4 - out.size() % 4) % 4, '=');
  return out;
}

std::optional<Bytes> from_base64(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  for (int i = 0; i < 2 && !text.empty() && text.back() == '='; ++i) text.remove_suffix(1);
  return decode_bits(text, 6, kBase64);
}

bool is_plain_name(std::string_view text, std::size_t max) {
  if (text.empty() || text.size() > max || text.front() == '.') return false;
  constexpr std::string_view kAllowed = "abcdefghijklmnopqrstuvwxyz0123456789-_.";
  return text.find_first_not_of(kAllowed) == std::string_view::npos;
}

}  // namespace callvault::base
