#include "codec/opus_page.h"

#include <opus.h>

#include <cstring>
#include <optional>

namespace callvault::codec {
namespace {

// The size that costs exactly `cost`, if there is one.
constexpr std::optional<std::size_t> size_of_cost(std::size_t cost) {
  if (cost == 0 || cost % 256 == 0) return std::nullopt;
  return cost - cost / 256 - 1;
}
static_assert(size_of_cost(255) == 254U && size_of_cost(257) == 255U && size_of_cost(kPageRoom) == 993U);
static_assert(page_cost(254) == 255 && page_cost(255) == 257 && page_cost(993) == kPageRoom);

}  // namespace

void PageBody::push(std::size_t packet_bytes) {
  sizes_[count_++] = static_cast<std::uint16_t>(packet_bytes);
  used_ += packet_bytes;
  cost_ += page_cost(packet_bytes);
}

bool PageBody::grow(std::size_t packet, std::size_t by) {
  if (by == 0) return true;
  std::size_t at = 0;
  for (std::size_t i = 0; i < packet; ++i) at += sizes_[i];
  const std::size_t old_size = sizes_[packet];
  unsigned char* const end = bytes_ + at + old_size;
  std::memmove(end + by, end, used_ - at - old_size);
  cost_ += page_cost(old_size + by) - page_cost(old_size);
  sizes_[packet] = static_cast<std::uint16_t>(old_size + by);
  used_ += by;
  return opus_packet_pad(bytes_ + at, static_cast<opus_int32>(old_size), static_cast<opus_int32>(old_size + by)) ==
         OPUS_OK;
}

bool PageBody::pad() {
  const std::size_t last = count_ - 1;
  const auto size_for_last = [&] { return size_of_cost(page_cost(sizes_[last]) + kPageRoom - cost_); };
  if (!size_for_last()) {
    // No packet costs a multiple of 256. One byte more in another packet moves the last one off it; a packet whose
    // extra byte would cost two is passed over when only one is left.
    for (std::size_t i = 0; i < last; ++i) {
      if (cost_ + page_cost(sizes_[i] + 1U) - page_cost(sizes_[i]) > kPageRoom) continue;
      if (!grow(i, 1)) return false;
      break;
    }
  }
  const auto size = size_for_last();
  return size && grow(last, *size - sizes_[last]) && cost_ == kPageRoom;
}

}  // namespace callvault::codec
