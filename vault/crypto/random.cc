#include "crypto/random.h"

#include <sodium.h>

#include "callvault/process.h"
#include "os/process.h"

namespace callvault::crypto {

Result<void> ready() {
  if (sodium_init() < 0) return fail(Errc::unexpected, "the cryptographic library cannot start");
  return {};
}

void fill_random(base::MutableBytes out) { randombytes_buf(out.data(), out.size()); }
void wipe(base::MutableBytes bytes) { sodium_memzero(bytes.data(), bytes.size()); }

}  // namespace callvault::crypto

namespace callvault {

Result<void> harden_process() {
  CALLVAULT_TRY(os::forbid_dumps());
  return crypto::ready();
}

}  // namespace callvault
