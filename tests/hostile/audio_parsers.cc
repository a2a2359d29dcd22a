#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <vector>

#include "codec/opus_decoder.h"
#include "codec/pcm_source.h"
#include "hostile/parsers.h"
#include "os/file.h"

namespace callvault::hostile {
namespace {

using base::ByteView;

constexpr std::size_t kPipeTakes = 65536;

// The whole input as samples: "640 x1 @8000", and what was found wrong with it.
Answer listen(os::File input, InputFormat format, std::optional<std::uint32_t> rate) {
  codec::SourceOptions options;
  options.audio.format = format;
  options.audio.rate_hz = rate;
  options.fd = input.fd();
  auto source = codec::open_source(std::move(options));
  if (!source) return refusal(source.error());
  std::vector<std::int16_t> block(1920);
  std::uint64_t frames = 0;
  for (;;) {
    const auto got = (*source)->read(block);
    if (!got) return refusal(got.error());
    if (*got == 0) break;
    frames += *got;
    if (frames > 100'000'000) return {"unexpected", {}, "it has no end"};
  }
  return accepted(std::to_string(frames) + " x" + std::to_string((*source)->channels()) + " @" +
                  std::to_string((*source)->rate_hz()) + ((*source)->truncated() ? " truncated" : ""));
}

int pipe_of(ByteView in) {
  int ends[2];
  if (in.size() > kPipeTakes || ::pipe(ends) != 0) return -1;
  const bool wrote = ::write(ends[1], in.data(), in.size()) == static_cast<ssize_t>(in.size());
  ::close(ends[1]);
  if (wrote) return ends[0];
  ::close(ends[0]);
  return -1;
}

int file_of(ByteView in) {
  const int fd = ::memfd_create("input", MFD_CLOEXEC);
  if (::write(fd, in.data(), in.size()) != static_cast<ssize_t>(in.size()) || ::lseek(fd, 0, SEEK_SET) != 0)
    std::abort();
  return fd;
}

Parser audio(int (*open)(ByteView), InputFormat format, std::optional<std::uint32_t> rate = std::nullopt) {
  return [=](ByteView in) {
    const int fd = open(in);
    return fd < 0 ? Answer{"unexpected", {}, "too long for a pipe"} : listen(os::File(fd, "the input"), format, rate);
  };
}

class Pages final : public codec::PageSource {
 public:
  explicit Pages(ByteView bytes) : bytes_(bytes) {}
  std::uint64_t page_count() const override { return bytes_.size() / codec::kPageBytes; }
  Result<void> read_page(std::uint64_t index, std::span<std::byte> out) override {
    std::memcpy(out.data(), bytes_.data() + index * codec::kPageBytes, codec::kPageBytes);
    return {};
  }

 private:
  ByteView bytes_;
};

Answer decode_track(ByteView in) {
  Pages pages(in);
  auto decoder = codec::TrackDecoder::open(pages, 8000);
  if (!decoder) return refusal(decoder.error());
  std::vector<std::int16_t> block(1000);
  std::uint64_t samples = 0;
  for (;;) {
    const auto got = decoder->read(block);
    if (!got) return refusal(got.error());
    if (*got == 0) return accepted(std::to_string(samples));
    samples += *got;
  }
}

}  // namespace

void add_audio_parsers(Parsers& to) {
  to["audio from a pipe"] = audio(pipe_of, InputFormat::automatic);
  to["audio from a file"] = audio(file_of, InputFormat::automatic);
  to["wav from a pipe"] = audio(pipe_of, InputFormat::wav);
  to["wav asked at 8000"] = audio(pipe_of, InputFormat::automatic, 8000);
  to["s16le"] = audio(pipe_of, InputFormat::s16le);
  to["s16le at 1 Hz"] = audio(pipe_of, InputFormat::s16le, 1);
  to["ulaw"] = audio(pipe_of, InputFormat::ulaw);
  to["alaw"] = audio(pipe_of, InputFormat::alaw);
  to["opus track"] = decode_track;
}

}  // namespace callvault::hostile
