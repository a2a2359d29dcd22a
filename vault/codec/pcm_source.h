// What a recorder pipes in, as 16-bit frames at a rate that Opus encodes.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>

#include "callvault/audio.h"
#include "callvault/result.h"

namespace callvault::codec {

struct SourceOptions {
  callvault::AudioFormat audio;
  int fd = 0;                                 // read when `file` is not given; stays the caller's
  std::optional<std::filesystem::path> file;  // a regular file, or a named pipe
  std::function<bool()> should_stop;          // polled at least each 200 ms; true = end of input
};

class PcmSource {
 public:
  virtual ~PcmSource() = default;

  // As they will be encoded: 8000, 12000, 16000, 24000 or 48000 Hz; one or two channels.
  virtual std::uint32_t rate_hz() const = 0;
  virtual unsigned channels() const = 0;

  // Fills up to frames.size() / channels() interleaved frames and says how many; 0 = end, for good. Waits for at most
  // 20 ms worth of input at a time, so it may give fewer than asked. Errors: io, when the input cannot be read.
  virtual Result<std::size_t> read(std::span<std::int16_t> frames) = 0;

  // How much of what arrived is still to be read, rounded up: it was said before now. 0 where nothing arrives live.
  virtual std::chrono::milliseconds arrived() const { return std::chrono::milliseconds(0); }

  // A read of 20 ms finds them here and does not wait.
  virtual bool ready() const { return true; }

  // From here on a live input may be left to gather for so long before it is read: fewer wake-ups.
  virtual void gather(std::chrono::milliseconds) {}

  // At the end: the header promised another length than arrived, or the input is damaged from some point on. What
  // arrived was given. Sizes that recorders leave as "not known yet" promise nothing.
  virtual bool truncated() const = 0;
};

// Reads as far as the first sample, so it waits for a silent pipe (should_stop ends that too). An input without audio
// gives a source whose first read is 0. WAV and the headerless formats are streamed, from files as from pipes;
// anything else libsndfile reads is read from the file, or gathered from a pipe (64 MiB at most).
// Errors: usage, for what is not audio, not what the options say, or outside 1..2 channels and 2,000..384,000 Hz;
// not_found, refused, io for a file that cannot be opened.
Result<std::unique_ptr<PcmSource>> open_source(SourceOptions options);

}  // namespace callvault::codec
