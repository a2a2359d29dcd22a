// The header in front of opened audio.
#pragma once

#include <cstdint>
#include <optional>

#include "base/bytes.h"

namespace callvault::codec {

inline constexpr std::size_t kWavHeaderBytes = 44;

// Canonical RIFF/WAVE header of 16-bit PCM. Sizes are 0xFFFFFFFF ("until the end") when `frames` is not known or the
// file would pass 4 GiB. REQUIRES: channels is 1 or 2.
base::Bytes wav_header(std::uint32_t rate_hz, unsigned channels, std::optional<std::uint64_t> frames);

}  // namespace callvault::codec
