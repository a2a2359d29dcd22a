// Intake key files as a recorder finds them. The check is made right, so that what it guards is reached too.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "crypto/hash.h"
#include "crypto/random.h"
#include "keys/intake.h"
#include "keys/recorder_view.h"

namespace {

using namespace callvault;

void require(bool condition) {
  if (!condition) std::abort();
}

void decode(base::ByteView bytes) {
  const auto key = keys::decode_intake(bytes);
  if (!key) return;
  const auto again = keys::encode_intake(*key);
  require(again.has_value() && std::ranges::equal(*again, bytes));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const bool ready = crypto::ready().has_value();
  require(ready);
  const auto bytes = std::as_bytes(std::span(data, size));
  decode(bytes);
  base::Bytes checked = base::to_bytes(bytes.first(std::min<std::size_t>(size, 4096)));
  const auto check = crypto::blake2b(checked);
  checked.insert(checked.end(), check.begin(), check.end());
  decode(checked);
  if (const auto review = keys::decode_review_public(base::as_text(bytes)))
    require(keys::encode_review_public(*review) == base::as_text(bytes));
  return 0;
}
