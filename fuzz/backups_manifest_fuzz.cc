// A backup's manifest: what decodes is encoded to text that decodes to the same.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "backups/manifest.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace callvault;
  const auto manifest = backups::decode_manifest({reinterpret_cast<const char*>(data), size});
  if (!manifest) return 0;
  const std::string text = backups::encode_manifest(*manifest);
  const auto again = backups::decode_manifest(text);
  if (!again || backups::encode_manifest(*again) != text) std::abort();
  return 0;
}
