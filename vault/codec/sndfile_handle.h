// libsndfile over virtual input and output.
#pragma once

#include <sndfile.h>

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace callvault::codec {

struct SndfileDeleter {
  void operator()(SNDFILE* file) const { sf_close(file); }
};
using SndfileHandle = std::unique_ptr<SNDFILE, SndfileDeleter>;

inline constexpr unsigned kReadsPerSecond = 50;  // of 20 ms, as an Opus frame

// Decoded frames as 16-bit: libsndfile's own for integers, rounded and clipped for floating point.
class SampleReader {
 public:
  SampleReader(SndfileHandle file, const SF_INFO& info);

  // At most 20 ms. 0 = end, or an error of what is underneath.
  std::size_t read(std::span<std::int16_t> frames);
  unsigned channels() const { return channels_; }
  std::uint32_t rate_hz() const { return rate_hz_; }
  bool failed() const { return sf_error(file_.get()) != SF_ERR_NO_ERROR; }

 private:
  SndfileHandle file_;
  unsigned channels_;
  std::uint32_t rate_hz_;
  std::size_t frames_at_once_;
  std::vector<float> floats_;  // empty when the samples are integers
};

}  // namespace callvault::codec
