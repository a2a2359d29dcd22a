#include "codec/wav_header.h"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

namespace callvault::codec {
namespace {

constexpr std::uint16_t kTagPcm = 1, kTagFloat = 3, kTagAlaw = 6, kTagUlaw = 7, kTagExtensible = 0xfffe;
constexpr std::size_t kFormatBytes = 40;  // of the longest form that means anything here
// Writers of pipes put 2^31 or 2^32, less some header or block.
constexpr std::uint64_t kNearby = 0x1000;

bool is_near(std::uint64_t size, std::uint64_t mark) { return size + kNearby >= mark && size <= mark + kNearby; }

// nullopt: the writer did not know. `available`: what is there from the place the size counts from, if known.
std::optional<std::uint64_t> meant_size(std::uint64_t size, std::optional<std::uint64_t> available) {
  if (size == 0) return std::nullopt;
  const bool is_mark = is_near(size, 0x7fffffff) || is_near(size, 0xffffffff);
  if (is_mark && !(available && size <= *available)) return std::nullopt;
  return size;
}

Error cut_short() { return fail(Errc::usage, "the input ends inside its wav header"); }

struct ChunkHead {
  std::array<std::byte, 4> id{};
  std::uint32_t size = 0;
  std::string_view name() const { return base::as_text(id); }
};

ChunkHead parse_chunk_head(base::ByteView bytes) {
  base::FieldReader field(bytes);
  ChunkHead out;
  out.id = field.array<4>();
  out.size = field.number<std::uint32_t>();
  return out;
}

template <std::size_t N>
Result<std::array<std::byte, N>> read_array(ByteInput& input) {
  std::array<std::byte, N> out{};
  CALLVAULT_TRY_ASSIGN(const std::size_t got, input.read(out));
  if (got < N) return cut_short();
  return out;
}

std::optional<SampleCoding> coding_of(std::uint16_t tag, unsigned bits, std::size_t bytes) {
  if (tag == kTagAlaw && bytes == 1) return SampleCoding::alaw;
  if (tag == kTagUlaw && bytes == 1) return SampleCoding::ulaw;
  if (tag == kTagFloat && bits == 32 && bytes == 4) return SampleCoding::float32;
  if (tag == kTagFloat && bits == 64 && bytes == 8) return SampleCoding::float64;
  if (tag != kTagPcm || bytes < 1 || bytes > 4) return std::nullopt;
  constexpr std::array kPcm{SampleCoding::pcm8, SampleCoding::pcm16, SampleCoding::pcm24, SampleCoding::pcm32};
  return kPcm[bytes - 1];
}

Result<void> parse_format(base::ByteView chunk, WavHeader& out) {
  base::FieldReader field(chunk);
  out.tag = field.number<std::uint16_t>();
  out.channels = field.number<std::uint16_t>();
  out.rate_hz = field.number<std::uint32_t>();
  field.number<std::uint32_t>();  // bytes a second
  const std::size_t block = field.number<std::uint16_t>();
  const unsigned bits = field.number<std::uint16_t>();
  if (!field.ok()) return fail(Errc::usage, "the wav header has a format chunk that is too short");
  if (out.tag == kTagExtensible) {
    field.bytes(8);  // size of the extension, valid bits, loudspeakers
    out.tag = field.number<std::uint16_t>();
    static constexpr std::string_view kRestOfGuid("\0\0\0\0\x10\0\x80\0\0\xaa\0\x38\x9b\x71", 14);
    if (!field.ok() || base::as_text(field.bytes(kRestOfGuid.size())) != kRestOfGuid) out.tag = kTagExtensible;
  }
  // Samples may stand in larger containers (24 bits in 4 bytes); some writers leave the container's size out.
  std::size_t bytes = (bits + 7) / 8;
  if (out.channels != 0 && block % out.channels == 0 && block / out.channels > bytes) bytes = block / out.channels;
  out.coding = coding_of(out.tag, bits, bytes);
  out.block_bytes = bytes * out.channels;
  return {};
}

bool is_printable(base::ByteView id) {
  return std::all_of(id.begin(), id.end(), [](std::byte b) { return b >= std::byte{0x20} && b < std::byte{0x7f}; });
}

// Ids that follow samples. Others count only where the RIFF size says that something follows.
bool follows_samples(std::string_view id) {
  constexpr std::array<std::string_view, 12> kKnown{"LIST", "id3 ", "ID3 ", "bext", "cue ", "smpl",
                                                    "fact", "JUNK", "PAD ", "iXML", "axml", "_PMX"};
  return std::find(kKnown.begin(), kKnown.end(), id) != kKnown.end();
}

bool is_known(std::string_view id) { return id == "data" || id == "fmt " || id == "ds64" || follows_samples(id); }

struct Padding {
  std::size_t bytes = 0;
  bool doubtful = false;
};

// What stands between a chunk of odd size and the next: one byte, but some writers leave it out.
Padding padding_of(base::ByteView next) {
  if (next.size() < 4) return {.bytes = std::min<std::size_t>(next.size(), 1)};
  const auto without = next.first(4);
  const auto with = next.size() < 5 ? base::ByteView() : next.subspan(1, 4);
  if (is_known(base::as_text(with)) || !is_printable(without)) return {.bytes = 1};
  if (is_known(base::as_text(without))) return {};
  if (!with.empty() && is_printable(with)) return {.bytes = 1};
  return {.doubtful = true};
}

}  // namespace

bool is_wav(base::ByteView first_bytes) {
  if (first_bytes.size() < kWavMagicBytes || base::as_text(first_bytes.subspan(8, 4)) != "WAVE") return false;
  const std::string_view form = base::as_text(first_bytes.first(4));
  return form == "RIFF" || form == "RF64" || form == "BW64";
}

Result<WavHeader> read_wav_header(ByteInput& input) {
  CALLVAULT_TRY_ASSIGN(const auto magic, read_array<kWavMagicBytes>(input));
  if (!is_wav(magic)) return fail(Errc::usage, "the input is not wav");
  const auto total = input.size();
  const auto left_from = [&](std::uint64_t at) -> std::optional<std::uint64_t> {
    if (!total) return std::nullopt;
    return *total - std::min(*total, at);
  };
  WavHeader out;
  std::uint64_t riff_bytes = parse_chunk_head(magic).size;
  std::optional<std::uint64_t> long_data_bytes;
  bool has_format = false;
  for (;;) {
    CALLVAULT_TRY_ASSIGN(const auto head_bytes, read_array<8>(input));
    const ChunkHead head = parse_chunk_head(head_bytes);
    if (head.name() == "data") {
      out.data_at = input.offset();
      std::uint64_t size = head.size;
      if (long_data_bytes && size == 0xffffffff) size = *long_data_bytes;
      out.data_bytes = meant_size(size, left_from(out.data_at));
      break;
    }
    std::uint64_t rest = head.size;
    if (input.offset() + rest > kMaxWavHeaderBytes)
      return fail(Errc::usage, "the wav header is longer than 1 MiB, or damaged");
    if (head.name() == "fmt ") {
      std::array<std::byte, kFormatBytes> format{};
      const auto chunk = base::MutableBytes(format).first(std::min<std::size_t>(kFormatBytes, head.size));
      CALLVAULT_TRY_ASSIGN(const std::size_t got, input.read(chunk));
      if (got < chunk.size()) return cut_short();
      CALLVAULT_TRY(parse_format(chunk, out));
      has_format = true;
      rest -= chunk.size();
    } else if (head.name() == "ds64" && head.size >= 16) {
      CALLVAULT_TRY_ASSIGN(const auto sizes, read_array<16>(input));
      base::FieldReader field(sizes);
      riff_bytes = field.number<std::uint64_t>();
      long_data_bytes = field.number<std::uint64_t>();
      rest -= sizes.size();
    }
    CALLVAULT_TRY_ASSIGN(const std::uint64_t skipped, input.skip(rest));
    if (skipped < rest) return cut_short();
    if (head.size % 2 == 0) continue;
    CALLVAULT_TRY_ASSIGN(const auto next, input.peek(5));
    const Padding padding = padding_of(next);
    CALLVAULT_TRY(input.skip(padding.bytes));
    out.doubtful = out.doubtful || padding.doubtful;
  }
  if (!has_format) return fail(Errc::usage, "the wav header has no format before its samples");
  // 8 is what a killed baresip leaves.
  const auto riff = riff_bytes == 8 ? std::nullopt : meant_size(riff_bytes, left_from(8));
  if (riff && *riff <= UINT64_MAX - 8) out.riff_end = *riff + 8;
  if (out.data_bytes == 8 && !riff) out.data_bytes.reset();
  return out;
}

Result<WavTail> examine_tail(ByteInput& input, const WavHeader& header) {
  const std::size_t odd = (input.offset() - header.data_at) % 2;
  CALLVAULT_TRY_ASSIGN(const auto next, input.peek(odd + 8));
  if (next.size() <= odd) return WavTail::end;
  const std::size_t padding = odd == 0 ? 0 : padding_of(next).bytes;
  const ChunkHead head = parse_chunk_head(next.subspan(padding));
  const std::uint64_t starts = input.offset() + padding;
  const bool covered = header.riff_end && *header.riff_end > starts;
  if (next.size() >= padding + 8 && is_printable(head.id) && (covered || follows_samples(head.name())))
    return WavTail::chunks;
  return WavTail::more_samples;
}

}  // namespace callvault::codec
