// The register of people: what decodes is encoded to text that decodes to the same.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "rights/people_codec.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace callvault;
  const auto content = rights::decode_people({reinterpret_cast<const char*>(data), size});
  if (!content) return 0;
  const std::string text = rights::encode_people(*content);
  const auto again = rights::decode_people(text);
  if (!again || rights::encode_people(*again) != text) std::abort();
  return 0;
}
