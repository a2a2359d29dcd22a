#include "codec/pcm_source.h"

#include <string>

#include "codec/sources.h"

namespace callvault::codec {
namespace {

constexpr std::uint32_t kLowestRate = 2000, kHighestRate = 384000, kHeaderlessRate = 8000;

// An input that ended before it said anything.
class NoAudio final : public PcmSource {
 public:
  NoAudio(std::uint32_t rate_hz, unsigned channels) : rate_hz_(rate_hz), channels_(channels) {}
  std::uint32_t rate_hz() const override { return rate_hz_; }
  unsigned channels() const override { return channels_; }
  Result<std::size_t> read(std::span<std::int16_t>) override { return std::size_t{0}; }
  bool truncated() const override { return false; }

 private:
  std::uint32_t rate_hz_;
  unsigned channels_;
};

// What the options alone say: the whole truth for headerless audio.
WavHeader asked_shape(const AudioFormat& audio) {
  const bool two = audio.channels == ChannelMap::caller_agent || audio.channels == ChannelMap::agent_caller;
  WavHeader out;
  out.channels = two ? 2 : 1;
  out.rate_hz = audio.rate_hz.value_or(kHeaderlessRate);
  out.coding = SampleCoding::pcm16;
  if (audio.format == InputFormat::ulaw) out.coding = SampleCoding::ulaw;
  if (audio.format == InputFormat::alaw) out.coding = SampleCoding::alaw;
  out.block_bytes = out.channels * (out.coding == SampleCoding::pcm16 ? 2U : 1U);
  return out;
}

Result<SourcePtr> open_at_own_rate(ByteInput input, const AudioFormat& audio) {
  const WavHeader asked = asked_shape(audio);
  CALLVAULT_TRY(check_shape(asked.rate_hz, asked.channels, std::nullopt));
  if (audio.format != InputFormat::automatic && audio.format != InputFormat::wav)
    return open_stream_source(std::move(input), asked);

  CALLVAULT_TRY_ASSIGN(const auto magic, input.peek(kWavMagicBytes));
  if (magic.empty()) return SourcePtr(std::make_unique<NoAudio>(asked.rate_hz, asked.channels));
  // Only what a pipe gives once must be kept for libsndfile.
  input.keep(!input.kind().regular);
  const bool wav = is_wav(magic);
  if (!wav && audio.format == InputFormat::wav)
    return fail(Errc::usage, "the input is not wav, though --format says so");
  if (!wav) return open_container_source(std::move(input), audio, std::nullopt);

  CALLVAULT_TRY_ASSIGN(const WavHeader header, read_wav_header(input));
  CALLVAULT_TRY(check_shape(header.rate_hz, header.channels, audio.rate_hz));
  if (!header.coding) return open_container_source(std::move(input), audio, header);
  input.keep(false);
  return open_stream_source(std::move(input), header);
}

}  // namespace

Result<void> check_shape(std::uint64_t rate_hz, std::uint64_t channels, std::optional<std::uint32_t> wanted) {
  if (channels < 1 || channels > 2)
    return fail(Errc::usage, "the input has " + std::to_string(channels) + " channels; a call has one or two");
  if (rate_hz < kLowestRate || rate_hz > kHighestRate)
    return fail(Errc::usage,
                "the input has a sample rate of " + std::to_string(rate_hz) + " Hz, which is not within 2000..384000");
  if (wanted && *wanted != rate_hz)
    return fail(Errc::usage, "the input says " + std::to_string(rate_hz) + " Hz, but " + std::to_string(*wanted) +
                                 " Hz was asked for");
  return {};
}

Result<SourcePtr> open_source(SourceOptions options) {
  os::File owned;
  if (options.file) {
    CALLVAULT_TRY_ASSIGN(owned, os::open_stream(*options.file));
  }
  CALLVAULT_TRY_ASSIGN(auto input, ByteInput::open(options.fd, std::move(owned), std::move(options.should_stop)));
  CALLVAULT_TRY_ASSIGN(auto source, open_at_own_rate(std::move(input), options.audio));
  return resample_for_opus(std::move(source));
}

}  // namespace callvault::codec
