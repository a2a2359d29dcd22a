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

// The same samples with every frame encoded, by libopus alone.
Samples without_gaps(const Samples& source, std::uint32_t rate) {
  const auto hz = static_cast<opus_int32>(rate);
  int status = OPUS_OK;
  OpusEncoder* const encoder = opus_encoder_create(hz, 1, OPUS_APPLICATION_AUDIO, &status);
  OpusDecoder* const decoder = opus_decoder_create(hz, 1, &status);
  opus_encoder_ctl(encoder, OPUS_SET_SIGNAL(OPUS_SIGNAL_VOICE));
  opus_encoder_ctl(encoder, OPUS_SET_BITRATE(static_cast<opus_int32>(codec::default_bitrate(rate))));
  opus_encoder_ctl(encoder, OPUS_SET_COMPLEXITY(EncoderOptions{}.complexity));
  opus_int32 lookahead = 0;
  opus_encoder_ctl(encoder, OPUS_GET_LOOKAHEAD(&lookahead));
  Samples out, frame(rate / kFramesPerSecond);
  std::array<unsigned char, 1500> packet{};
  for (std::size_t at = 0; at < source.size() + frame.size(); at += frame.size()) {
    for (std::size_t i = 0; i < frame.size(); ++i) frame[i] = at + i < source.size() ? source[at + i] : 0;
    const auto samples = static_cast<int>(frame.size());
    const int size = opus_encode(encoder, frame.data(), samples, packet.data(), packet.size());
    REQUIRE(opus_decode(decoder, packet.data(), size, frame.data(), samples, 0) == samples);
    add(out, frame);
  }
  opus_encoder_destroy(encoder);
  opus_decoder_destroy(decoder);
  out.erase(out.begin(), out.begin() + lookahead);
  out.resize(source.size());
  return out;
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
    // 3.5 s are quiet; of each stretch half a second and then one frame in 50 are encoded.
    CHECK(unsent_frames(pages, rate) > 110);

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
    // Quiet stays quiet, once the last word has died away. At 48 kHz libopus itself makes an idle line louder.
    const int loudest = rate == 48000 ? 104 : 64;
    for (const std::size_t end : {second, third})
      for (std::size_t i = end - rate; i < end - rate / 50; ++i) REQUIRE(std::abs(heard[i]) <= loudest);
  }
}

// Once a track whose silence ended at certain frames never gave its last page: the recording could not be opened.
TEST_CASE("a track ends with its last page whatever the length of the silence before") {
  const Samples word = speech(1);
  for (std::size_t frames = 0; frames < 2 * kFramesPerSecond + 30; ++frames) {
    for (const std::size_t rest : {0U, 1U, 100U, 120U, 159U}) {
      CAPTURE(frames);
      CAPTURE(rest);
      Samples source(word.begin(), word.begin() + 800);
      source.resize(source.size() + frames * 160 + rest);
      auto pages = encode(source, 8000, {.bitrate = std::nullopt, .complexity = 0});
      REQUIRE(pages.ended);
      REQUIRE(decoded(pages, 8000, source.size() + 8000).size() == source.size());
    }
  }
}

// A decoder fades in what follows a frame that it missed: once 6 to 10 dB off the first 20 ms of every word after a
// pause.
TEST_CASE("the beginning of a word after a silence is as good as if nothing had been left out") {
  for (const std::uint32_t rate : {8000U, 16000U}) {
    CAPTURE(rate);
    const Samples voice = rate == 8000 ? speech(41) : stretched(speech(41), rate / 8000);
    // Words cut out of the middle of speech, a second each, between pauses that end anywhere within a frame.
    Samples source;
    std::vector<std::size_t> begins;
    for (std::size_t word = 0; word < 20; ++word) {
      source.resize(source.size() + rate * 5 / 4 + word * 37);
      begins.push_back(source.size());
      const auto from = voice.begin() + static_cast<std::ptrdiff_t>(word * 2 * rate + rate / 3);
      source.insert(source.end(), from, from + rate);
    }
    auto pages = encode(source, rate);
    CHECK(unsent_frames(pages, rate) > 500);
    const Samples heard = decoded(pages, rate, source.size());
    const Samples reference = without_gaps(source, rate);
    for (const std::size_t ms : {20U, 60U, 200U}) {
      CAPTURE(ms);
      double ours = 0, whole = 0;
      std::size_t words = 0;
      const auto part = [&](const Samples& of, std::size_t at) { return std::span(of).subspan(at, rate * ms / 1000); };
      for (const std::size_t at : begins) {
        const auto truth = part(source, at);
        if (std::none_of(truth.begin(), truth.end(), [](int s) { return std::abs(s) > 200; })) continue;
        ++words;
        ours += snr_db(truth, part(heard, at));
        whole += snr_db(truth, part(reference, at));
      }
      REQUIRE(words > 10);
      CHECK(ours / static_cast<double>(words) > whole / static_cast<double>(words) - 1.5);
    }
  }
}

// Decoders make up sound for frames that are not sent, after what they heard before: DTMF went on at -60 dBFS once.
TEST_CASE("after a tone that stops there is silence") {
  for (const std::uint32_t rate : {8000U, 16000U}) {
    CAPTURE(rate);
    for (const auto& [low, high] : {std::pair{697, 1209}, std::pair{770, 1477}, std::pair{941, 1336}}) {
      CAPTURE(low);
      Samples source(rate / 2 + static_cast<std::size_t>(low));
      for (std::size_t i = 0; i < source.size(); ++i) {
        const double t = 6.283185307 * static_cast<double>(i) / rate;
        source[i] = static_cast<std::int16_t>(6000 * (std::sin(t * low) + std::sin(t * high)));
      }
      const std::size_t stops = source.size();
      source.resize(stops + rate * std::size_t{2});
      auto pages = encode(source, rate);
      const Samples heard = decoded(pages, rate, source.size());
      for (std::size_t i = stops + rate * 7 / 10; i < source.size(); ++i) REQUIRE(std::abs(heard[i]) <= 4);
    }
  }
}

TEST_CASE("only what is under one step of G.711 counts as quiet") {
  for (const std::int16_t peak : {std::int16_t{8}, std::int16_t{9}}) {
    CAPTURE(peak);
    const auto pages = encode(tone(8000 * 4, peak), 8000);
    CHECK((unsent_frames(pages, 8000) > 0) == (peak == 8));
  }
  // To either side of zero.
  for (const int sign : {1, -1}) {
    CAPTURE(sign);
    Samples one_sided = tone(8000 * 4, 9);
    for (auto& sample : one_sided) sample = static_cast<std::int16_t>(sample * sign > 0 ? sample : 0);
    CHECK(unsent_frames(encode(one_sided, 8000), 8000) == 0);
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
