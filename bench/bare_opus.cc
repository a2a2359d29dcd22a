// The limit of an encoding chain: libopus alone, fed the same samples with the same settings, its packets thrown away.
//   bare_opus FILE.wav RATE CHANNELS COMPLEXITY BITRATE [WORD...]
//   bare_opus FILE.wav COMPLEXITY                               8000 1 COMPLEXITY 16000 every
// FILE: 16 bit at RATE, a header of 44 bytes. As callvault encodes, but for the words:
//   every   also the frames of a quiet line, which callvault leaves out
//   joint   two channels in one stereo encoder with BITRATE for both, not in two mono ones with BITRATE each
//   voip    the application of ffmpeg's -application voip, which does not say what the signal is
//   dtx     OPUS_SET_DTX
#include <opus.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string_view>
#include <vector>

namespace {

constexpr int kPacketsPerSecond = 50;
constexpr long kWavHeaderBytes = 44;
constexpr std::size_t kMaxPacketBytes = 900;

struct Settings {
  int rate = 8000;
  std::size_t channels = 1;
  int complexity = 10;
  int bitrate = 16000;
  bool every = false;
  bool joint = false;
  bool voip = false;
  bool dtx = false;
};

struct Closer {
  void operator()(std::FILE* file) const { std::fclose(file); }
  void operator()(OpusEncoder* encoder) const { opus_encoder_destroy(encoder); }
};
using Encoder = std::unique_ptr<OpusEncoder, Closer>;

Encoder make_encoder(const Settings& s) {
  int status = OPUS_OK;
  Encoder encoder(
      opus_encoder_create(s.rate, s.joint ? 2 : 1, s.voip ? OPUS_APPLICATION_VOIP : OPUS_APPLICATION_AUDIO, &status));
  if (status != OPUS_OK) return nullptr;
  if (!s.voip) opus_encoder_ctl(encoder.get(), OPUS_SET_SIGNAL(OPUS_SIGNAL_VOICE));
  opus_encoder_ctl(encoder.get(), OPUS_SET_VBR(1));
  opus_encoder_ctl(encoder.get(), OPUS_SET_BITRATE(s.bitrate));
  opus_encoder_ctl(encoder.get(), OPUS_SET_COMPLEXITY(s.complexity));
  opus_encoder_ctl(encoder.get(), OPUS_SET_DTX(s.dtx ? 1 : 0));
  return encoder;
}

// callvault's rule: after 500 ms with no sample beyond 8, one frame a second, at complexity 0.
class QuietLine {
 public:
  bool leaves_out(const std::vector<opus_int16>& frame, OpusEncoder* encoder, const Settings& s) {
    const bool quiet = std::all_of(frame.begin(), frame.end(), [](opus_int16 x) { return x >= -8 && x <= 8; });
    quiet_ = quiet ? quiet_ + 1 : 0;
    if (quiet_ > 25 && quiet_ % 50 != 0) return true;
    opus_encoder_ctl(encoder, OPUS_SET_COMPLEXITY(quiet_ > 25 ? 0 : s.complexity));
    return false;
  }

 private:
  unsigned quiet_ = 0;
};

int encode_file(const char* path, const Settings& s) {
  const std::unique_ptr<std::FILE, Closer> file(std::fopen(path, "rb"));
  if (!file || std::fseek(file.get(), kWavHeaderBytes, SEEK_SET) != 0) return 1;
  const std::size_t streams = s.joint ? 1 : s.channels;
  std::vector<Encoder> encoders;
  std::vector<QuietLine> lines(streams);
  for (std::size_t i = 0; i < streams; ++i) {
    encoders.push_back(make_encoder(s));
    if (!encoders.back()) return 1;
  }
  const auto frame = static_cast<std::size_t>(s.rate / kPacketsPerSecond);
  std::vector<opus_int16> samples(frame * s.channels);
  std::vector<opus_int16> mono(frame);
  std::vector<unsigned char> packet(kMaxPacketBytes);
  unsigned long frames = 0;
  unsigned long bytes = 0;
  while (std::fread(samples.data(), sizeof(opus_int16), samples.size(), file.get()) == samples.size()) {
    for (std::size_t c = 0; c < streams; ++c) {
      if (!s.joint) {
        for (std::size_t i = 0; i < frame; ++i) mono[i] = samples[i * s.channels + c];
        if (!s.every && !s.voip && lines[c].leaves_out(mono, encoders[c].get(), s)) continue;
      }
      const int size = opus_encode(encoders[c].get(), s.joint ? samples.data() : mono.data(), static_cast<int>(frame),
                                   packet.data(), static_cast<opus_int32>(packet.size()));
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
  Settings s;
  if (argc == 3) {
    s.complexity = std::atoi(argv[2]);
    s.every = true;
    return encode_file(argv[1], s);
  }
  if (argc < 6) {
    std::fputs("usage: bare_opus FILE.wav [RATE CHANNELS] COMPLEXITY [BITRATE [every] [joint] [voip] [dtx]]\n", stderr);
    return 2;
  }
  s.rate = std::atoi(argv[2]);
  s.channels = static_cast<std::size_t>(std::atoi(argv[3]));
  s.complexity = std::atoi(argv[4]);
  s.bitrate = std::atoi(argv[5]);
  for (int i = 6; i < argc; ++i) {
    const std::string_view word = argv[i];
    s.every = s.every || word == "every";
    s.joint = s.joint || word == "joint";
    s.voip = s.voip || word == "voip";
    s.dtx = s.dtx || word == "dtx";
  }
  return encode_file(argv[1], s);
}
