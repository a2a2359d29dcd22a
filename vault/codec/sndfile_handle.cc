#include "codec/sndfile_handle.h"

#include <samplerate.h>

#include <algorithm>

namespace callvault::codec {
namespace {

bool is_integer(int format) {
  switch (format & SF_FORMAT_SUBMASK) {
    case SF_FORMAT_PCM_S8:
    case SF_FORMAT_PCM_U8:
    case SF_FORMAT_PCM_16:
    case SF_FORMAT_ULAW:
    case SF_FORMAT_ALAW:
    case SF_FORMAT_IMA_ADPCM:
    case SF_FORMAT_MS_ADPCM:
    case SF_FORMAT_GSM610:
      return true;
    default:
      return false;
  }
}

}  // namespace

SampleReader::SampleReader(SndfileHandle file, const SF_INFO& info)
    : file_(std::move(file)),
      channels_(static_cast<unsigned>(info.channels)),
      rate_hz_(static_cast<std::uint32_t>(info.samplerate)),
      frames_at_once_(std::max<std::size_t>(1, rate_hz_ / kReadsPerSecond)) {
  if (!is_integer(info.format)) floats_.resize(frames_at_once_ * channels_);
}

std::size_t SampleReader::read(std::span<std::int16_t> frames) {
  const std::size_t count = std::min(frames.size() / channels_, frames_at_once_);
  const auto wanted = static_cast<sf_count_t>(count);
  if (floats_.empty()) {
    return static_cast<std::size_t>(std::max<sf_count_t>(0, sf_readf_short(file_.get(), frames.data(), wanted)));
  }
  const auto got = std::max<sf_count_t>(0, sf_readf_float(file_.get(), floats_.data(), wanted));
  src_float_to_short_array(floats_.data(), frames.data(), static_cast<int>(got) * static_cast<int>(channels_));
  return static_cast<std::size_t>(got);
}

}  // namespace callvault::codec
