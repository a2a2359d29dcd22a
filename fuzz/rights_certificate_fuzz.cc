// Certificates: nothing is believed without a signature.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "crypto/random.h"
#include "rights/certificate.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace callvault;
  static const bool ready = crypto::ready().has_value();
  if (!ready) std::abort();
  static const journal::VerifierKey key{"example.com/vault-7", {}};
  if (rights::verify_certificate({reinterpret_cast<const char*>(data), size}, key))
    std::abort();  // nobody has this key
  return 0;
}
