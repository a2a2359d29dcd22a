// Secrets that people type.
#pragma once

#include <string_view>

#include "crypto/secret.h"

namespace callvault::crypto {

// 64 digits of either case; blanks before, behind and between bytes are passed over. No branch and no address depends
// on a digit's value. Errc::corrupt.
Result<Key> key_from_hex(std::string_view digits);

}  // namespace callvault::crypto
