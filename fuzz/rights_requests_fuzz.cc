// The register of requests: what decodes is encoded to text that decodes to the same.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "rights/request_codec.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace callvault;
  const auto content = rights::decode_requests({reinterpret_cast<const char*>(data), size});
  if (!content) return 0;
  const std::string text = rights::encode_requests(*content);
  const auto again = rights::decode_requests(text);
  if (!again || rights::encode_requests(*again) != text) std::abort();
  return 0;
}
