#include "crypto/hex.h"

#include <sodium.h>

namespace callvault::crypto {

Result<Key> key_from_hex(std::string_view digits) {
  CALLVAULT_TRY_ASSIGN(Key out, Key::random());
  std::size_t bytes = 0;
  const char* end = nullptr;
  if (sodium_hex2bin(reinterpret_cast<unsigned char*>(out.reveal_mutable().data()), Key::kBytes, digits.data(),
                     digits.size(), " \t", &bytes, &end) != 0 ||
      bytes != Key::kBytes || end != digits.data() + digits.size())
    return fail(Errc::corrupt, "a key is not 64 digits");
  return out;
}

}  // namespace callvault::crypto
