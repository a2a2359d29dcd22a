// Whatever decodes has one spelling, is valid, and survives the way back.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "journal/entry.h"

using namespace callvault;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view line(reinterpret_cast<const char*>(data), size);
  const auto entry = journal::decode(line);
  if (!entry) {
    if (entry.error().code != Errc::corrupt && entry.error().code != Errc::newer_version) std::abort();
    return 0;
  }
  if (!journal::validate(*entry) || journal::encode(*entry) != line) std::abort();
  if (line.find('\n') != std::string_view::npos) std::abort();
  return 0;
}
