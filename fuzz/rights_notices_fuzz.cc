// The register of notices: what decodes is encoded to text that decodes to the same.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "rights/notice_codec.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace callvault;
  const auto notices = rights::decode_notices({reinterpret_cast<const char*>(data), size});
  if (!notices) return 0;
  const std::string text = rights::encode_notices(*notices);
  const auto again = rights::decode_notices(text);
  if (!again || rights::encode_notices(*again) != text) std::abort();
  return 0;
}
