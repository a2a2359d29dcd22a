// How an Ogg page of exactly kPageBytes is shared out among packets. See docs/FORMAT.md.
#pragma once

#include <cstddef>
#include <cstdint>

#include "codec/opus_encoder.h"

namespace callvault::codec {

inline constexpr std::uint32_t kOpusClock = 48000;  // granule positions count at this rate, whatever the track's
inline constexpr std::size_t kOggHeaderBytes = 27;
// What lacing values and packets of one page share.
inline constexpr std::size_t kPageRoom = kPageBytes - kOggHeaderBytes;
inline constexpr std::size_t kMaxPacketBytes = 900;
inline constexpr std::size_t kPacketsPerSecond = 50;  // of 20 ms

// What a packet takes of a page: its bytes and its lacing values (RFC 3533 sec. 6). 256, 512 and 768 never occur.
constexpr std::size_t page_cost(std::size_t packet_bytes) { return packet_bytes + packet_bytes / 255 + 1; }

static_assert(page_cost(kMaxPacketBytes) <= kPageRoom);

constexpr bool is_opus_rate(std::uint32_t hz) {
  return hz == 8000 || hz == 12000 || hz == 16000 || hz == 24000 || hz == 48000;
}

// The packets of a page being filled, one after the other in memory.
class PageBody {
 public:
  // Where the next packet may be written: kMaxPacketBytes of room, whether or not it will fit the page.
  unsigned char* next() { return bytes_ + used_; }
  bool fits(std::size_t packet_bytes) const { return cost_ + page_cost(packet_bytes) <= kPageRoom; }
  // REQUIRES: fits, 1 <= packet_bytes <= kMaxPacketBytes, count() < kPacketsPerSecond; written at next().
  void push(std::size_t packet_bytes);
  // Makes the page full to the byte by Opus padding (RFC 6716 sec. 3.2.5). False when a packet is not valid Opus.
  // REQUIRES: count() > 0.
  bool pad();
  void clear() { used_ = count_ = cost_ = 0; }

  std::size_t count() const { return count_; }
  std::size_t size(std::size_t packet) const { return sizes_[packet]; }
  std::size_t used() const { return used_; }
  unsigned char* bytes() { return bytes_; }

 private:
  bool grow(std::size_t packet, std::size_t by);

  unsigned char bytes_[kPageRoom + kMaxPacketBytes];
  std::uint16_t sizes_[kPacketsPerSecond];
  std::size_t used_ = 0;
  std::size_t count_ = 0;
  std::size_t cost_ = 0;
};

}  // namespace callvault::codec
