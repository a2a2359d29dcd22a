// A party who says nothing: its frames are not encoded, and nothing else may show that.
#include <ogg/ogg.h>
#include <opus.h>
#include <opusfile.h>

#include <array>

#include "codec/audio_support.h"

using namespace callvault;
using namespace callvault::codec_test;

namespace {

constexpr std::size_t kFramesPerSecond = 50;

void add(Samples& out, const Samples& more) { out.insert(out.end(), more.begin(), more.end()); }

Samples tone(std::size_t count, std::int16_t peak) {
  Samples out(count);
  for (std::size_t i = 0; i < count; ++i) out[i] = i % 8 < 4 ? peak : static_cast<std::int16_t>(-peak);
  return out;
}

// How many 20 ms frames of the track hold nothing but their first byte. Checks that libopus takes every packet for 20
// ms.
std::size_t unsent_frames(const MemoryPages& pages, std::uint32_t rate) {
  std::size_t unsent = 0;
  for (std::size_t n = 1; n < pages.pages.size(); ++n) {
    const auto* const page = reinterpret_cast<const unsigned char*>(pages.pages[n].data());
    const std::size_t lacings = page[26];
    const unsigned char* packet = page + 27 + lacings;
    opus_int32 size = 0;
    for (std::size_t i = 0; i < lacings; ++i) {
      size += page[27 + i];
      if (page[27 + i] == 255) continue;
      std::array<const unsigned char*, 48> frames{};
      std::array<opus_int16, 48> sizes{};
      REQUIRE(opus_packet_parse(packet, size, nullptr, frames.data(), sizes.data(), nullptr) == 1);
      REQUIRE(opus_packet_get_nb_samples(packet, size, static_cast<opus_int32>(rate)) ==
              static_cast<int>(rate / kFramesPerSecond));
      if (sizes[0] == 0) ++unsent;
      packet += size;
      size = 0;
    }
  }
  return unsent;
}

Samples decoded(MemoryPages& pages, std::uint32_t rate, std::size_t most) {
  auto decoder = codec::TrackDecoder::open(pages, rate);
  REQUIRE(decoder);
  return read_some(*decoder, most);
}

}  // namespace

TEST_CASE("a quiet line is hardly encoded, keeps its time, and does not touch the speech around it") {
  for (const std::uint32_t rate : {8000U, 16000U, 48000U}) {
    CAPTURE(rate);
    const Samples voice = rate == 8000 ? speech(4) : stretched(speech(4), rate / 8000);
    const Samples idle = tone(std::size_t{rate} * 3 / 2, 8);  // an idle A-law line
    Samples source = voice;
    add(source, Samples(std::size_t{rate} * 2));
    const std::size_t second = source.size();
    add(source, voice);
    add(source, idle);
    const std::size_t third = source.size();
    add(source, voice);
    auto pages = encode(source, rate);
    // 3.5 s are quiet; of each stretch 200 ms and then one frame in 20 are encoded.
    CHECK(unsent_frames(pages, rate) > 125);

    const Samples heard = decoded(pages, rate, source.size() + rate);
    REQUIRE(heard.size() == source.size());
    int status = 0;
    const Bytes file = pages.file();
    OggOpusFile* const other =
        op_open_memory(reinterpret_cast<const unsigned char*>(file.data()), file.size(), &status);
    REQUIRE(other != nullptr);
    CHECK(op_pcm_total(other, -1) == static_cast<ogg_int64_t>(source.size() * (48000 / rate)));
    op_free(other);

    // Speech after the silence sounds as it does at the start of a track, from its first word on.
    auto alone = encode(voice, rate);
    const Samples first = decoded(alone, rate, voice.size());
    const double reference = correlation(voice, first);
    CHECK(reference > 0.8);
    for (const std::size_t at : {second, third}) {
      CAPTURE(at);
      CHECK(correlation(voice, std::span(heard).subspan(at, voice.size())) > reference - 0.02);
    }
    // Quiet stays quiet, once the last word has died away.
    for (const std::size_t end : {second, third})
      for (std::size_t i = end - rate; i < end - rate / 50; ++i) REQUIRE(std::abs(heard[i]) <= 64);
  }
}

TEST_CASE("only what is under one step of G.711 counts as quiet") {
  for (const std::int16_t peak : {std::int16_t{8}, std::int16_t{9}}) {
    CAPTURE(peak);
    const auto pages = encode(tone(8000 * 4, peak), 8000);
    CHECK((unsent_frames(pages, 8000) > 0) == (peak == 8));
  }
  // A single sample in 200 ms is enough to be heard.
  Samples clicks(8000 * 4);
  for (std::size_t i = 80; i < clicks.size(); i += 1600) clicks[i] = 200;
  CHECK(unsent_frames(encode(clicks, 8000), 8000) == 0);
  // Of speech nothing is left out.
  Samples voice = speech(10);
  for (auto& sample : voice) sample = static_cast<std::int16_t>(sample + (sample >= 0 ? 9 : -9));
  CHECK(unsent_frames(encode(voice, 8000), 8000) == 0);
}

TEST_CASE("a seek into, or just behind, a quiet stretch lands on the sample") {
  Samples source(8000 * 3);
  add(source, speech(3));
  auto pages = encode(source, 8000);
  const Samples linear = decoded(pages, 8000, source.size());
  auto decoder = codec::TrackDecoder::open(pages, 8000);
  REQUIRE(decoder);
  for (const std::size_t at :
       {std::size_t{0}, std::size_t{12345}, std::size_t{23999}, std::size_t{24000}, std::size_t{30000}}) {
    CAPTURE(at);
    REQUIRE(decoder->seek(at));
    const Samples heard = read_some(*decoder, 8000);
    REQUIRE(heard.size() == 8000);
    const auto there = std::span(linear).subspan(at, 8000);
    if (at > 20000)
      CHECK(correlation(there, heard) > 0.95);
    else
      for (const auto sample : heard) REQUIRE(std::abs(sample) <= 64);
  }
}
