// Recipients of what leaves the vault: what is read is written again letter by letter.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "disclosure/recipient.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace callvault;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto key = disclosure::parse_recipient(text);
  if (key && disclosure::encode_recipient(*key) != text) std::abort();
  if (!key && key.error().code != Errc::usage) std::abort();
  return 0;
}
