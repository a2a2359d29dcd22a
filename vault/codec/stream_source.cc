#include <algorithm>
#include <string>

#include "codec/sndfile_handle.h"
#include "codec/sources.h"

namespace callvault::codec {
namespace {

int raw_format(SampleCoding coding) {
  switch (coding) {
    case SampleCoding::pcm8:
      return SF_FORMAT_PCM_U8;
    case SampleCoding::pcm16:
      return SF_FORMAT_PCM_16;
    case SampleCoding::pcm24:
      return SF_FORMAT_PCM_24;
    case SampleCoding::pcm32:
      return SF_FORMAT_PCM_32;
    case SampleCoding::float32:
      return SF_FORMAT_FLOAT;
    case SampleCoding::float64:
      return SF_FORMAT_DOUBLE;
    case SampleCoding::alaw:
      return SF_FORMAT_ALAW;
    case SampleCoding::ulaw:
      return SF_FORMAT_ULAW;
  }
  return 0;
}

// libsndfile decodes the samples; which bytes are samples is decided here.
class StreamSource final : public PcmSource {
 public:
  StreamSource(ByteInput input, const WavHeader& header)
      : input_(std::move(input)), header_(header), promised_(header.data_bytes), truncated_(header.doubtful) {
    // A promise of part of a frame is kept, but that part cannot be heard.
    if (promised_) left_ = *promised_ - *promised_ % header_.block_bytes;
  }

  Result<void> start() {
    SF_VIRTUAL_IO io{.get_filelen = &length, .seek = &seek, .read = &read_bytes, .write = &write, .tell = &tell};
    SF_INFO info{};
    info.samplerate = static_cast<int>(header_.rate_hz);
    info.channels = static_cast<int>(header_.channels);
    info.format = SF_FORMAT_RAW | SF_ENDIAN_LITTLE | raw_format(*header_.coding);
    SndfileHandle file(sf_open_virtual(&io, SFM_READ, &info, this));
    if (!file) return fail(Errc::unexpected, std::string("libsndfile cannot start: ") + sf_strerror(nullptr));
    reader_.emplace(std::move(file), info);
    return {};
  }

  std::uint32_t rate_hz() const override { return header_.rate_hz; }
  unsigned channels() const override { return header_.channels; }
  bool truncated() const override { return truncated_; }

  std::chrono::milliseconds arrived() const override {
    const std::uint64_t frames = (input_.arrived() + header_.block_bytes - 1) / header_.block_bytes;
    return std::chrono::milliseconds((frames * 1000 + header_.rate_hz - 1) / header_.rate_hz);
  }

  bool ready() const override {
    return ended_ || input_.holds(header_.block_bytes * (header_.rate_hz / kReadsPerSecond));
  }

  void gather(std::chrono::milliseconds wanted) override {
    const std::uint64_t bytes_per_second = std::uint64_t{header_.block_bytes} * header_.rate_hz;
    const auto ms =
        std::min<std::uint64_t>(static_cast<std::uint64_t>(wanted.count()), kMostGathered * 1000 / bytes_per_second);
    input_.gather(static_cast<std::size_t>(bytes_per_second * ms / 1000), std::chrono::milliseconds(ms));
  }

  Result<std::size_t> read(std::span<std::int16_t> frames) override {
    if (frames.size() < channels() || ended_) return std::size_t{0};
    CALLVAULT_TRY(look_ahead());
    if (ended_) return std::size_t{0};
    const std::size_t got = reader_->read(frames);
    if (got == 0 && error_) return *error_;
    if (got == 0) ended_ = true;
    return got;
  }

 private:
  static constexpr sf_count_t kEndless = sf_count_t{1} << 60;
  static constexpr std::uint64_t kMostGathered = 16384;  // a quarter of what a pipe holds

  // At the places where a header may be wrong about its samples: before the first, and after the last promised.
  Result<void> look_ahead() {
    const bool is_start = !promised_ && !started_ && header_.data_at != 0;
    started_ = true;
    if (!is_start && left_ != 0) return {};
    if (left_) {
      const std::uint64_t part = *promised_ % header_.block_bytes;
      CALLVAULT_TRY_ASSIGN(const std::uint64_t skipped, input_.skip(part));
      ended_ = part != 0;
      truncated_ = truncated_ || skipped < part;
    }
    CALLVAULT_TRY_ASSIGN(const WavTail tail, examine_tail(input_, header_));
    if (tail != WavTail::more_samples) {
      ended_ = true;
    } else if (ended_) {
      // Frames cannot be told apart behind part of one: they are lost, and that is said.
      truncated_ = true;
    } else if (left_) {
      // The recorder went on after it had written the size.
      truncated_ = true;
      left_.reset();
    }
    return {};
  }

  static StreamSource& self(void* user) { return *static_cast<StreamSource*>(user); }
  static sf_count_t length(void*) { return kEndless; }
  static sf_count_t seek(sf_count_t offset, int, void*) { return offset; }
  static sf_count_t write(const void*, sf_count_t, void*) { return 0; }
  static sf_count_t tell(void*) { return 0; }
  static sf_count_t read_bytes(void* out, sf_count_t count, void* user) {
    StreamSource& s = self(user);
    auto wanted = static_cast<std::uint64_t>(std::max<sf_count_t>(0, count));
    if (s.left_) wanted = std::min(wanted, *s.left_);
    auto got = s.input_.read({static_cast<std::byte*>(out), static_cast<std::size_t>(wanted)});
    if (!got) {
      s.error_ = std::move(got).error();
      return 0;
    }
    if (s.left_) {
      *s.left_ -= *got;
      s.truncated_ = s.truncated_ || *got < wanted;
    }
    return static_cast<sf_count_t>(*got);
  }

  ByteInput input_;
  WavHeader header_;
  std::optional<std::uint64_t> promised_;
  std::optional<std::uint64_t> left_;  // of the promised bytes; none: until the end of the input
  bool started_ = false;
  bool ended_ = false;
  bool truncated_;
  std::optional<Error> error_;
  std::optional<SampleReader> reader_;
};

}  // namespace

Result<SourcePtr> open_stream_source(ByteInput input, const WavHeader& header) {
  auto source = std::make_unique<StreamSource>(std::move(input), header);
  CALLVAULT_TRY(source->start());
  return SourcePtr(std::move(source));
}

}  // namespace callvault::codec
