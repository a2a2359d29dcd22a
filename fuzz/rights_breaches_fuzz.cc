// The register of breaches: what decodes is encoded to text that decodes to the same.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "rights/breach_codec.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace callvault;
  const auto content = rights::decode_breaches({reinterpret_cast<const char*>(data), size});
  if (!content) return 0;
  const std::string text = rights::encode_breaches(*content);
  const auto again = rights::decode_breaches(text);
  if (!again || rights::encode_breaches(*again) != text) std::abort();
  return 0;
}
