// Bytes as libsodium takes them.
#pragma once

#include "base/bytes.h"

namespace callvault::crypto {

// Of nothing, too, an address: libsodium's functions say that they want one.
inline const unsigned char* raw(base::ByteView bytes) {
  static constexpr unsigned char kNothing = 0;
  return bytes.empty() ? &kNothing : reinterpret_cast<const unsigned char*>(bytes.data());
}
inline unsigned char* raw(base::MutableBytes bytes) { return reinterpret_cast<unsigned char*>(bytes.data()); }

}  // namespace callvault::crypto
