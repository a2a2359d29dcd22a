// The kinds of PcmSource that open_source puts together.
#pragma once

#include <memory>
#include <optional>

#include "codec/byte_input.h"
#include "codec/pcm_source.h"
#include "codec/wav_header.h"

namespace callvault::codec {

using SourcePtr = std::unique_ptr<PcmSource>;

// Errc::usage outside 1..2 channels and 2,000..384,000 Hz, or when `wanted` is another rate.
Result<void> check_shape(std::uint64_t rate_hz, std::uint64_t channels, std::optional<std::uint32_t> wanted);

// Samples of a fixed size in `input`, from where it stands. `header` says how many, and of what; its rate may be any.
// REQUIRES: header.coding.
Result<SourcePtr> open_stream_source(ByteInput input, const WavHeader& header);

// Any other container that libsndfile reads, from a file or, gathered, from a pipe. `wav`: what its header says, when
// it is WAV of a coding that is not streamed. REQUIRES: kept() holds all that was taken from a pipe.
Result<SourcePtr> open_container_source(ByteInput input, const AudioFormat& audio, const std::optional<WavHeader>& wav);

// Gives the source's samples at the nearest rate of Opus at or above its own. Returns it as it is when it has one.
Result<SourcePtr> resample_for_opus(SourcePtr source);

}  // namespace callvault::codec
