// A register: one kind of record that the office itself keeps (opt-outs, requests ...), apart from any recording. Its
// file is immutable, like a node, and replaced whole under a fresh key: what leaves it is forgotten with the next
// rotation. docs/format/keys.md.
#pragma once

#include <cstdint>
#include <string_view>

#include "crypto/secret.h"

namespace callvault::keys {

inline constexpr std::size_t kMaxRegisterBytes = std::size_t{16} << 20;  // of a file

// REQUIRES: base::is_plain_name(name). Errors: refused when it would be too large.
Result<base::Bytes> seal_register(base::ByteView plain, std::string_view name, std::uint64_t generation,
                                  const crypto::Key& key);
// What it holds are personal data, no keys: ordinary memory. Errors: corrupt, newer_version.
Result<base::Bytes> open_register(base::ByteView file, std::string_view name, std::uint64_t generation,
                                  const crypto::Key& key);

}  // namespace callvault::keys
