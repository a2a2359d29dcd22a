// The alias register: any text decodes to groups that encode to a text which decodes to the same, or is refused.
#include <cstdlib>

#include "context/aliases.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace callvault;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto groups = context::decode_aliases(text);
  if (!groups) return 0;
  const std::string again = context::encode_aliases(*groups);
  const auto same = context::decode_aliases(again);
  if (!same || context::encode_aliases(*same) != again) std::abort();
  return 0;
}
