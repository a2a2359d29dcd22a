// A track of hostile pages. The first byte chooses: checksums as given, or repaired so that what lies behind is
// reached; and, when repaired, whether the header page is a good one.
#include <ogg/ogg.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "codec/opus_decoder.h"

using namespace callvault;
using codec::kPageBytes;
using Page = std::array<std::byte, kPageBytes>;

namespace {

class Pages final : public codec::PageSource {
 public:
  std::uint64_t page_count() const override { return pages.size(); }
  Result<void> read_page(std::uint64_t index, std::span<std::byte> out) override {
    if (index >= pages.size() || out.size() != kPageBytes) std::abort();
    std::copy(pages[index].begin(), pages[index].end(), out.begin());
    return {};
  }
  std::vector<Page> pages;
};

const Page& good_header() {
  static const Page page = [] {
    Page out{};
    auto encoder = codec::TrackEncoder::make(8000, {});
    if (!encoder) std::abort();
    const auto take = [&](std::span<const std::byte> bytes, bool) -> Result<void> {
      std::copy(bytes.begin(), bytes.end(), out.begin());
      return {};
    };
    if (!encoder->add({}, take)) std::abort();
    return out;
  }();
  return page;
}

// Gives a page the number, serial number, length and checksum that let it in.
void repair(Page& page, std::uint32_t index) {
  auto* const bytes = reinterpret_cast<unsigned char*>(page.data());
  const auto* const header = reinterpret_cast<const unsigned char*>(good_header().data());
  std::copy_n("OggS", 4, bytes);
  bytes[4] = 0;
  std::copy_n(header + 14, 4, bytes + 14);
  for (unsigned i = 0; i < 4; ++i) bytes[18 + i] = static_cast<unsigned char>((index + 1) >> (8 * i));
  std::fill_n(bytes + 10, 4, static_cast<unsigned char>(0));
  // Cuts or stretches the last lacing values so that they say what the page holds.
  const std::size_t lacings = std::max<std::size_t>(5, bytes[26]);
  bytes[26] = static_cast<unsigned char>(lacings);
  std::size_t left = kPageBytes - 27 - lacings;
  for (std::size_t i = 0; i < lacings; ++i) {
    const std::size_t most = i + 1 == lacings ? 254 : 255;
    const std::size_t after = lacings - i - 1;
    std::size_t value = std::min<std::size_t>({bytes[27 + i], most, left});
    if (left - value > after * 255) value = std::min(left - after * 255, most);
    if (after == 0) value = std::min(left, most);
    bytes[27 + i] = static_cast<unsigned char>(value);
    left -= value;
  }
  ogg_page view{};
  view.header = bytes;
  view.header_len = static_cast<long>(27 + lacings);
  view.body = bytes + view.header_len;
  view.body_len = static_cast<long>(kPageBytes) - view.header_len;
  ogg_page_checksum_set(&view);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 4) return 0;
  const std::uint8_t choice = data[0];
  const std::uint32_t sample = data[1] * 256U + data[2] * 16U;
  data += 3;
  size -= 3;
  Pages source;
  if ((choice & 1) != 0) source.pages.push_back(good_header());
  for (std::size_t at = 0; at < size && source.pages.size() < 16; at += kPageBytes) {
    Page page{};
    std::copy_n(reinterpret_cast<const std::byte*>(data) + at, std::min(kPageBytes, size - at), page.begin());
    if ((choice & 1) != 0) repair(page, static_cast<std::uint32_t>(source.pages.size()));
    source.pages.push_back(page);
  }
  constexpr std::array<std::uint32_t, 5> kRates{8000, 12000, 16000, 24000, 48000};
  auto decoder = codec::TrackDecoder::open(source, kRates[(choice >> 1) % kRates.size()]);
  if (!decoder) return 0;
  static_cast<void>(decoder->total_samples());
  std::array<std::int16_t, 1000> block;
  for (const bool seek : {false, true}) {
    if (seek && !decoder->seek(sample)) return 0;
    std::uint64_t total = 0;
    for (;;) {
      const auto got = decoder->read(block);
      if (!got || *got == 0) break;
      total += *got;
      // 16 pages of 255 packets of 120 ms.
      if (*got > block.size() || total > std::uint64_t{16} * 255 * 5760) std::abort();
    }
  }
  return 0;
}
