// Whatever is read as metadata is in bounds and survives being written again.
#include <cstdlib>

#include "sealed/metadata.h"

using namespace callvault;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto metadata = sealed::decode_metadata(base::as_text(std::as_bytes(std::span(data, size))));
  if (!metadata) {
    if (metadata.error().code != Errc::corrupt) std::abort();
    return 0;
  }
  const auto text = sealed::encode_metadata(*metadata);
  if (!text) std::abort();
  const auto again = sealed::decode_metadata(*text);
  if (!again || !(*again == *metadata)) std::abort();
  return 0;
}
