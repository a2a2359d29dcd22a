// Text forms of bytes: hex, and base 32 (RFC 4648, lower case, no padding).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace callvault::base {

std::string to_hex(ByteView bytes);
std::optional<Bytes> from_hex(std::string_view text);

std::string to_base32(ByteView bytes);
// Refuses other alphabets, padding, and stray bits in the last character.
std::optional<Bytes> from_base32(std::string_view text);

// RFC 4648 base 64 with padding.
std::string to_base64(ByteView bytes);
std::optional<Bytes> from_base64(std::string_view text);

// True when `text` is non-empty, at most `max` long, and all of a-z 0-9 - _ . without a leading dot.
bool is_plain_name(std::string_view text, std::size_t max);

}  // namespace callvault::base
