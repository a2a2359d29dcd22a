// Whatever parses as a header gives the same header again, and every box in it can be refused.
#include <cstdlib>

#include "crypto/random.h"
#include "sealed/header.h"

using namespace callvault;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = std::as_bytes(std::span(data, size));
  const auto header = sealed::parse_header(bytes);
  if (!header) {
    if (header.error().code != Errc::corrupt && header.error().code != Errc::newer_version) std::abort();
    return 0;
  }
  const auto again = sealed::parse_header(header->raw);
  if (!again || again->raw != header->raw || again->hash != header->hash || again->id != header->id) std::abort();
  if (header->metadata_box().size() + header->intake_box().size() + header->review_box().size() + 56 + 32 !=
      header->raw.size())
    std::abort();
  static const auto ready = crypto::ready();
  static const auto key = crypto::Key::random();
  if (ready && key && sealed::open_metadata(*header, *key)) std::abort();
  return 0;
}
