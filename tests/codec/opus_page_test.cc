#include "codec/opus_page.h"

#include <doctest/doctest.h>
#include <opus.h>

#include <algorithm>
#include <random>
#include <vector>

using namespace callvault::codec;

namespace {

// A packet of one frame (code 0) of that size: decodable or not, Opus can pad it.
void push_packet(PageBody& body, std::size_t size, unsigned char fill) {
  unsigned char* const at = body.next();
  std::fill_n(at, size, fill);
  at[0] = 0x08;
  body.push(size);
}

// Pads, and checks that the page is full and each packet still carries its own frame.
void check_pad(const std::vector<std::size_t>& sizes) {
  PageBody body;
  unsigned char fill = 1;
  for (const std::size_t size : sizes) push_packet(body, size, fill++);
  REQUIRE(body.pad());
  std::size_t cost = 0, at = 0;
  for (std::size_t i = 0; i < body.count(); ++i) {
    cost += page_cost(body.size(i));
    const unsigned char* frames[48];
    opus_int16 frame_sizes[48];
    unsigned char toc = 0;
    const int count =
        opus_packet_parse(body.bytes() + at, static_cast<opus_int32>(body.size(i)), &toc, frames, frame_sizes, nullptr);
    REQUIRE(count == 1);
    REQUIRE(static_cast<std::size_t>(frame_sizes[0]) == sizes[i] - 1);
    REQUIRE(std::all_of(frames[0], frames[0] + frame_sizes[0],
                        [&](unsigned char c) { return c == static_cast<unsigned char>(i + 1); }));
    at += body.size(i);
  }
  REQUIRE(cost == kPageRoom);
  REQUIRE(at == body.used());
}

}  // namespace

TEST_CASE("any mixture of packets fills a page to the byte") {
  std::mt19937 random(7);
  for (int round = 0; round < 20000; ++round) {
    std::vector<std::size_t> sizes;
    std::size_t cost = 0;
    const std::size_t largest = std::uniform_int_distribution<std::size_t>(1, kMaxPacketBytes)(random);
    while (sizes.size() < kPacketsPerSecond) {
      const std::size_t size = std::uniform_int_distribution<std::size_t>(1, largest)(random);
      if (cost + page_cost(size) > kPageRoom) break;
      cost += page_cost(size);
      sizes.push_back(size);
    }
    check_pad(sizes);
  }
}

TEST_CASE("the sizes that a last packet cannot have are got round") {
  // What is left for the last packet would cost 256, 512 or 768: for each, with little and with much room left.
  for (const std::size_t hole : {256U, 512U, 768U}) {
    for (std::size_t others = 1; others <= 4; ++others) {
      const std::size_t room = kPageRoom - hole;
      std::vector<std::size_t> sizes;
      std::size_t left = room;
      for (std::size_t i = 0; i + 1 < others && left > 60; ++i) {
        sizes.push_back(50);
        left -= 51;
      }
      // The first packets cost exactly `room`, in as few as it takes.
      while (left > 0) {
        std::size_t size = left - left / 256 - 1;
        if (left % 256 == 0) size -= 10;
        sizes.push_back(size);
        left -= page_cost(size);
      }
      for (const std::size_t last : {std::size_t{1}, hole / 2, hole - hole / 255 - 2}) {
        auto all = sizes;
        all.push_back(last);
        check_pad(all);
      }
    }
  }
  // One byte of room, where a byte costs the last packet two; in the second case the first packet too.
  check_pad({738, 254});
  check_pad({254, 484, 254});
}

TEST_CASE("a full page stays as it is; a packet alone is stretched to all of it") {
  static_assert(page_cost(500) + page_cost(493) == kPageRoom);
  check_pad({500, 493});
  check_pad({kMaxPacketBytes});
  check_pad({1});
}
