// Any bytes as a catalogue row: refused, or read and written again byte for byte.
#include <cstdint>
#include <cstdlib>

#include "catalog/row.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace callvault;
  const auto view = std::as_bytes(std::span(data, size));
  const auto row = catalog::decode_row(view);
  if (!row) return 0;
  const auto again = catalog::encode_row(*row);
  if (!again || *again != base::to_bytes(view)) std::abort();
  return 0;
}
