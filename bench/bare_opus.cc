// The peer of `callvault ingest`: libopus alone, fed the same samples with the same settings, its packets thrown away.
//   bare_opus FILE.wav COMPLEXITY     FILE: 16 bit mono, 8 kHz, a header of 44 bytes
#include <opus.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <memory>

namespace {

constexpr opus_int32 kRate = 8000;
constexpr int kFrame = 160;  // 20 ms
constexpr opus_int32 kBitrate = 16000;
constexpr long kWavHeaderBytes = 44;

struct Closer {
  void operator()(std::FILE* file) const { std::fclose(file); }
  void operator()(OpusEncoder* encoder) const { opus_encoder_destroy(encoder); }
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fputs("usage: bare_opus FILE.wav COMPLEXITY\n", stderr);
    return 2;
  }
  const std::unique_ptr<std::FILE, Closer> file(std::fopen(argv[1], "rb"));
  if (!file || std::fseek(file.get(), kWavHeaderBytes, SEEK_SET) != 0) return 1;
  int status = OPUS_OK;
  const std::unique_ptr<OpusEncoder, Closer> encoder(opus_encoder_create(kRate, 1, OPUS_APPLICATION_VOIP, &status));
  if (status != OPUS_OK) return 1;
  opus_encoder_ctl(encoder.get(), OPUS_SET_SIGNAL(OPUS_SIGNAL_VOICE));
  opus_encoder_ctl(encoder.get(), OPUS_SET_VBR(1));
  opus_encoder_ctl(encoder.get(), OPUS_SET_BITRATE(kBitrate));
  opus_encoder_ctl(encoder.get(), OPUS_SET_COMPLEXITY(std::atoi(argv[2])));

  std::array<opus_int16, kFrame> frame{};
  std::array<unsigned char, 900> packet{};
  unsigned long frames = 0;
  unsigned long bytes = 0;
  while (std::fread(frame.data(), sizeof(opus_int16), frame.size(), file.get()) == frame.size()) {
    const int size = opus_encode(encoder.get(), frame.data(), kFrame, packet.data(), packet.size());
    if (size < 1) return 1;
    ++frames;
    bytes += static_cast<unsigned long>(size);
  }
  std::printf("{\"frames\":%lu,\"bytes\":%lu}\n", frames, bytes);
  return 0;
}
