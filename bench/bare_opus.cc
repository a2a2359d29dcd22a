// The limit of `callvault ingest`: libopus alone, fed the same samples with the same settings, its packets thrown away.
//   bare_opus FILE.wav RATE CHANNELS COMPLEXITY BITRATE [dtx]
//   bare_opus FILE.wav COMPLEXITY                               8000 1 COMPLEXITY 16000
// FILE: 16 bit at RATE, a header of 44 bytes. Two channels are two mono encoders, as the two parties' tracks are.
#include <opus.h>

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string_view>
#include <vector>

namespace {

constexpr int kPacketsPerSecond = 50;
constexpr long kWavHeaderBytes = 44;
constexpr std::size_t kMaxPacketBytes = 900;

struct Closer {
  void operator()(std::FILE* file) const { std::fclose(file); }
  void operator()(OpusEncoder* encoder) const { opus_encoder_destroy(encoder); }
};
using Encoder = std::unique_ptr<OpusEncoder, Closer>;

Encoder make_encoder(int rate, int complexity, int bitrate, bool dtx) {
  int status = OPUS_OK;
  Encoder encoder(opus_encoder_create(rate, 1, OPUS_APPLICATION_VOIP, &status));
  if (status != OPUS_OK) return nullptr;
  opus_encoder_ctl(encoder.get(), OPUS_SET_SIGNAL(OPUS_SIGNAL_VOICE));
  opus_encoder_ctl(encoder.get(), OPUS_SET_VBR(1));
  opus_encoder_ctl(encoder.get(), OPUS_SET_BITRATE(bitrate));
  opus_encoder_ctl(encoder.get(), OPUS_SET_COMPLEXITY(complexity));
  opus_encoder_ctl(encoder.get(), OPUS_SET_DTX(dtx ? 1 : 0));
  return encoder;
}

int encode_file(const char* path, int rate, std::size_t channels, int complexity, int bitrate, bool dtx) {
  const std::unique_ptr<std::FILE, Closer> file(std::fopen(path, "rb"));
  if (!file || std::fseek(file.get(), kWavHeaderBytes, SEEK_SET) != 0) return 1;
  std::vector<Encoder> encoders;
  for (std::size_t i = 0; i < channels; ++i) {
    encoders.push_back(make_encoder(rate, complexity, bitrate, dtx));
    if (!encoders.back()) return 1;
  }
  const auto frame = static_cast<std::size_t>(rate / kPacketsPerSecond);
  std::vector<opus_int16> samples(frame * channels);
  std::vector<opus_int16> mono(frame);
  std::vector<unsigned char> packet(kMaxPacketBytes);
  unsigned long frames = 0;
  unsigned long bytes = 0;
  while (std::fread(samples.data(), sizeof(opus_int16), samples.size(), file.get()) == samples.size()) {
    for (std::size_t c = 0; c < channels; ++c) {
      for (std::size_t i = 0; i < frame; ++i) mono[i] = samples[i * channels + c];
      const int size = opus_encode(encoders[c].get(), mono.data(), static_cast<int>(frame), packet.data(),
                                   static_cast<opus_int32>(packet.size()));
      if (size < 1) return 1;
      bytes += static_cast<unsigned long>(size);
    }
    ++frames;
  }
  std::printf("{\"frames\":%lu,\"bytes\":%lu}\n", frames, bytes);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 3) return encode_file(argv[1], 8000, 1, std::atoi(argv[2]), 16000, false);
  if (argc < 6) {
    std::fputs("usage: bare_opus FILE.wav [RATE CHANNELS] COMPLEXITY [BITRATE [dtx]]\n", stderr);
    return 2;
  }
  return encode_file(argv[1], std::atoi(argv[2]), static_cast<std::size_t>(std::atoi(argv[3])), std::atoi(argv[4]),
                     std::atoi(argv[5]), argc > 6 && std::string_view(argv[6]) == "dtx");
}
