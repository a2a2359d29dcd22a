#include <samplerate.h>

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "codec/sndfile_handle.h"
#include "codec/sources.h"

namespace callvault::codec {
namespace {

constexpr std::array<std::uint32_t, 5> kOpusRates{8000, 12000, 16000, 24000, 48000};

struct ResamplerDeleter {
  void operator()(SRC_STATE* state) const { src_delete(state); }
};

class ResampledSource final : public PcmSource {
 public:
  ResampledSource(SourcePtr source, std::uint32_t rate_hz) : source_(std::move(source)), rate_hz_(rate_hz) {}

  Result<void> start() {
    int status = 0;
    state_.reset(src_new(SRC_SINC_FASTEST, static_cast<int>(channels()), &status));
    if (!state_) return fail(Errc::unexpected, std::string("libsamplerate cannot start: ") + src_strerror(status));
    const std::size_t frames = std::max<std::size_t>(1, source_->rate_hz() / kReadsPerSecond);
    samples_.resize(frames * channels());
    in_.resize(samples_.size());
    out_.resize(rate_hz_ / kReadsPerSecond * channels());
    return {};
  }

  std::uint32_t rate_hz() const override { return rate_hz_; }
  unsigned channels() const override { return source_->channels(); }
  bool truncated() const override { return source_->truncated(); }
  void gather(std::chrono::milliseconds wanted) override { source_->gather(wanted); }
  // What lies in its buffer and under its filter, too: 20 ms each at most.
  std::chrono::milliseconds arrived() const override { return source_->arrived() + 2 * kHeld; }

  Result<std::size_t> read(std::span<std::int16_t> frames) override {
    if (frames.size() < channels()) return std::size_t{0};
    for (;;) {
      if (in_left_ == 0 && !ended_) {
        CALLVAULT_TRY_ASSIGN(const std::size_t got, source_->read(samples_));
        src_short_to_float_array(samples_.data(), in_.data(), static_cast<int>(got * channels()));
        in_at_ = 0;
        in_left_ = got;
        ended_ = got == 0;
      }
      SRC_DATA data{};
      data.data_in = in_.data() + in_at_ * channels();
      data.input_frames = static_cast<long>(in_left_);
      data.data_out = out_.data();
      data.output_frames = static_cast<long>(std::min(frames.size(), out_.size()) / channels());
      data.end_of_input = ended_ ? 1 : 0;
      data.src_ratio = static_cast<double>(rate_hz_) / source_->rate_hz();
      if (const int status = src_process(state_.get(), &data); status != 0)
        return fail(Errc::unexpected, std::string("libsamplerate fails: ") + src_strerror(status));
      in_at_ += static_cast<std::size_t>(data.input_frames_used);
      in_left_ -= static_cast<std::size_t>(data.input_frames_used);
      const auto made = static_cast<std::size_t>(data.output_frames_gen);
      if (made == 0 && !ended_) continue;
      src_float_to_short_array(out_.data(), frames.data(), static_cast<int>(made * channels()));
      return made;
    }
  }

 private:
  static constexpr std::chrono::milliseconds kHeld{1000 / kReadsPerSecond};

  SourcePtr source_;
  std::uint32_t rate_hz_;
  std::unique_ptr<SRC_STATE, ResamplerDeleter> state_;
  std::vector<std::int16_t> samples_;
  std::vector<float> in_, out_;
  std::size_t in_at_ = 0, in_left_ = 0;  // frames
  bool ended_ = false;
};

}  // namespace

Result<SourcePtr> resample_for_opus(SourcePtr source) {
  const auto rate = std::find_if(kOpusRates.begin(), kOpusRates.end(), [&](auto r) { return r >= source->rate_hz(); });
  const std::uint32_t wanted = rate == kOpusRates.end() ? kOpusRates.back() : *rate;
  if (wanted == source->rate_hz()) return source;
  auto out = std::make_unique<ResampledSource>(std::move(source), wanted);
  CALLVAULT_TRY(out->start());
  return SourcePtr(std::move(out));
}

}  // namespace callvault::codec
