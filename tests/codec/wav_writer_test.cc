#include "codec/wav_writer.h"

#include "codec/audio_support.h"

using namespace callvault;
using namespace callvault::codec_test;
using codec::wav_header;

TEST_CASE("a header that libsndfile agrees with") {
  for (const unsigned channels : {1U, 2U}) {
    const TempFolder folder;
    Bytes file = wav_header(16000, channels, 100);
    CHECK(file.size() == codec::kWavHeaderBytes);
    append(file, Bytes(100 * channels * 2));
    const auto path = folder.write("out.wav", file);
    SF_INFO info{};
    SNDFILE* const opened = sf_open(path.c_str(), SFM_READ, &info);
    REQUIRE(opened != nullptr);
    CHECK(info.frames == 100);
    CHECK(info.samplerate == 16000);
    CHECK(static_cast<unsigned>(info.channels) == channels);
    CHECK(info.format == (SF_FORMAT_WAV | SF_FORMAT_PCM_16));
    sf_close(opened);
    const auto heard = hear_file(file);
    REQUIRE(heard);
    CHECK(heard->samples.size() == 100 * channels);
    CHECK_FALSE(heard->truncated);
  }
}

TEST_CASE("sizes that are not known, or do not fit, mean until the end") {
  const auto sizes = [](const Bytes& header) {
    return std::pair(base::to_hex(base::ByteView(header).subspan(4, 4)), base::to_hex(base::ByteView(header).last(4)));
  };
  const std::pair<std::string, std::string> unknown("ffffffff", "ffffffff");
  CHECK(sizes(wav_header(8000, 1, std::nullopt)) == unknown);
  CHECK(sizes(wav_header(8000, 1, 0)) == std::pair<std::string, std::string>("24000000", "00000000"));
  CHECK(sizes(wav_header(8000, 2, 1)) == std::pair<std::string, std::string>("28000000", "04000000"));
  // RIFF size 0xfffffffe is the largest even one that is not the mark itself.
  CHECK(sizes(wav_header(8000, 1, 0x7fffffed)) == std::pair<std::string, std::string>("feffffff", "daffffff"));
  CHECK(sizes(wav_header(8000, 1, 0x7fffffee)) == unknown);
  CHECK(sizes(wav_header(8000, 2, UINT64_MAX)) == unknown);
}
