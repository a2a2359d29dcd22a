// The directory's head and plaintext: what decodes is encoded to the same bytes. (The seal would hide the latter from a
// fuzzer.)
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "crypto/random.h"
#include "keys/directory.h"

namespace {

void require(bool condition) {
  if (!condition) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace callvault;
  static const bool ready = crypto::ready().has_value();
  require(ready);
  const auto bytes = std::as_bytes(std::span(data, size));
  if (const auto parts = keys::split_directory(bytes); parts && parts->head.version == 3) {
    const auto again = keys::encode_head(parts->head.epoch, parts->head.keepers);
    require(again.has_value() && again->size() == parts->clear.size());
    // Its reserved bytes are not looked at: the seal covers them.
    require(std::ranges::equal(std::span(*again).subspan(16), parts->clear.subspan(16)));
  }
  const auto directory = keys::decode_directory(bytes);
  if (!directory) return 0;
  const auto again = keys::encode_directory(*directory);
  require(again.has_value() && std::ranges::equal(again->reveal(), bytes));
  return 0;
}
