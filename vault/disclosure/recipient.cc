#include "disclosure/recipient.h"

#include <array>
#include <cstdint>
#include <optional>

namespace callvault::disclosure {
namespace {

constexpr std::string_view kPrefix = "age";
constexpr std::string_view kAlphabet = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
constexpr std::size_t kDataSymbols = 52;  // 256 bits by fives, and four bits of padding
constexpr std::size_t kCheckSymbols = 6;
constexpr std::size_t kTextLength = kPrefix.size() + 1 + kDataSymbols + kCheckSymbols;
static_assert(kTextLength == 62);

using Symbols = std::array<std::uint8_t, kDataSymbols + kCheckSymbols>;

// The checksum of BIP 173 over the expanded prefix and the symbols.
std::uint32_t polymod(const Symbols& symbols) {
  constexpr std::array<std::uint32_t, 5> kGenerator{0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3};
  std::uint32_t check = 1;
  const auto take = [&](std::uint32_t value) {
    const std::uint32_t top = check >> 25;
    check = ((check & 0x1ffffff) << 5) ^ value;
    for (std::size_t i = 0; i < kGenerator.size(); ++i)
      if (((top >> i) & 1) != 0) check ^= kGenerator[i];
  };
  for (const char c : kPrefix) take(static_cast<std::uint8_t>(c) >> 5);
  take(0);
  for (const char c : kPrefix) take(static_cast<std::uint8_t>(c) & 31);
  for (const auto symbol : symbols) take(symbol);
  return check;
}

Error bad(const char* why) { return fail(Errc::usage, std::string("the recipient ") + why); }

// Bytes by fives, the last symbol filled with zero bits.
void pack(const crypto::PublicKey& key, Symbols& out) {
  std::uint32_t bits = 0;
  unsigned held = 0;
  std::size_t at = 0;
  for (const auto byte : key) {
    bits = ((bits << 8) | static_cast<std::uint32_t>(byte)) & 0xffff;
    for (held += 8; held >= 5; held -= 5) out[at++] = static_cast<std::uint8_t>((bits >> (held - 5)) & 31);
  }
  out[at] = static_cast<std::uint8_t>((bits << (5 - held)) & 31);
}

// The bytes; nothing when padding bits are set.
std::optional<crypto::PublicKey> unpack(const Symbols& symbols) {
  crypto::PublicKey out{};
  std::uint32_t bits = 0;
  unsigned held = 0;
  std::size_t at = 0;
  for (std::size_t i = 0; i < kDataSymbols; ++i) {
    bits = ((bits << 5) | symbols[i]) & 0xffff;
    held += 5;
    if (held < 8) continue;
    held -= 8;
    out[at++] = static_cast<std::byte>((bits >> held) & 0xff);
  }
  const bool padded_with_zeros = (bits & ((1U << held) - 1)) == 0;
  return padded_with_zeros ? std::optional(out) : std::nullopt;
}

}  // namespace

Result<crypto::PublicKey> parse_recipient(std::string_view text) {
  if (text.starts_with("AGE-SECRET-KEY-"))
    return bad("is a secret key: anybody who has seen it can open what is sealed to it; give the public one (age1...)");
  if (!text.starts_with("age1")) return bad("is not an age public key (age1...)");
  if (text.size() != kTextLength) return bad("is not of the right length");
  Symbols symbols{};
  const std::string_view rest = text.substr(kPrefix.size() + 1);
  for (std::size_t i = 0; i < symbols.size(); ++i) {
    const auto value = kAlphabet.find(rest[i]);
    if (value == std::string_view::npos) return bad("has a character that no age public key has");
    symbols[i] = static_cast<std::uint8_t>(value);
  }
  if (polymod(symbols) != 1) return bad("has a wrong checksum: it was mistyped");
  const auto key = unpack(symbols);
  if (!key) return bad("is not an age public key (age1...)");
  return *key;
}

std::string encode_recipient(const crypto::PublicKey& key) {
  Symbols symbols{};
  pack(key, symbols);
  const std::uint32_t check = polymod(symbols) ^ 1;
  for (std::size_t i = 0; i < kCheckSymbols; ++i)
    symbols[kDataSymbols + i] = static_cast<std::uint8_t>((check >> (5 * (kCheckSymbols - 1 - i))) & 31);
  std::string out = std::string(kPrefix) + "1";
  for (const auto symbol : symbols) out += kAlphabet[symbol];
  return out;
}

}  // namespace callvault::disclosure
