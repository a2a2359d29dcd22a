// What stands before the samples of a RIFF/WAVE stream, as recorders really write it.
#pragma once

#include <cstdint>
#include <optional>

#include "codec/byte_input.h"

namespace callvault::codec {

enum class SampleCoding : std::uint8_t { pcm8, pcm16, pcm24, pcm32, float32, float64, alaw, ulaw };

struct WavHeader {
  std::uint16_t tag = 0;               // after WAVE_FORMAT_EXTENSIBLE is resolved
  std::optional<SampleCoding> coding;  // none: a coding for libsndfile to read
  std::uint32_t rate_hz = 0;
  unsigned channels = 0;
  std::size_t block_bytes = 0;  // of one frame; when `coding`

  std::uint64_t data_at = 0;                // where the samples start
  std::optional<std::uint64_t> data_bytes;  // none: until the end of the input
  std::optional<std::uint64_t> riff_end;    // where the file ends, if its header knows
  bool doubtful = false;                    // its chunks could be told apart by a guess only
};

inline constexpr std::size_t kWavMagicBytes = 12;
inline constexpr std::uint64_t kMaxWavHeaderBytes = 1 << 20;

// RIFF, RF64 or BW64 and WAVE. Big-endian RIFX is libsndfile's.
bool is_wav(base::ByteView first_bytes);

// Reads to the first sample. Sizes 0, 8 (of the samples: when that of RIFF is not known either), and those near 2^31 or
// 2^32 that writers of pipes put, mean "not known yet", unless the input is a file that is long enough to mean them.
// The padding behind a chunk of odd size may have been left out. Errors: usage, for a header that is damaged, cut
// short, or longer than kMaxWavHeaderBytes; io.
Result<WavHeader> read_wav_header(ByteInput& input);

enum class WavTail : std::uint8_t { end, chunks, more_samples };
// What follows the promised samples: nothing, other chunks, or more than was promised.
Result<WavTail> examine_tail(ByteInput& input, const WavHeader& header);

}  // namespace callvault::codec
