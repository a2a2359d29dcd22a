// Bytes as libsodium takes them.
#pragma once

#include "base/bytes.h"

namespace callvault::crypto {

inline const unsigned char* raw(base::ByteView bytes) { return reinterpret_cast<const unsigned char*>(bytes.data()); }
inline unsigned char* raw(base::MutableBytes bytes) { return reinterpret_cast<unsigned char*>(bytes.data()); }

}  // namespace callvault::crypto
