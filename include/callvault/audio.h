// Audio at the two ends: what a recorder pipes in, what a reviewer hears.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "callvault/call_record.h"

namespace callvault {

// wav: a live or finished RIFF/WAVE. `automatic` looks at the first bytes.
enum class InputFormat : std::uint8_t { automatic, wav, s16le, ulaw, alaw };

// Which party is on which input channel.
enum class ChannelMap : std::uint8_t { mixed, caller, agent, caller_agent, agent_caller };

struct AudioFormat {
  InputFormat format = InputFormat::automatic;
  std::optional<std::uint32_t> rate_hz;  // needed by the headerless formats; default 8000 there
  std::optional<ChannelMap> channels;    // default: one channel = mixed, two = caller,agent
};

struct EncoderOptions {
  std::optional<std::uint32_t> bitrate;  // bit/s per track; default by rate, see docs/CLI.md
  int complexity = 10;                   // 0..10, libopus' scale
};

enum class PlayFormat : std::uint8_t { wav, opus };
enum class TrackChoice : std::uint8_t { caller, agent, both };

// Where opened audio goes. The vault never writes it to disk itself.
class ByteSink {
 public:
  virtual ~ByteSink() = default;
  virtual Result<void> write(std::span<const std::byte> bytes) = 0;
};

}  // namespace callvault
