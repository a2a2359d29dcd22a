#include <ogg/ogg.h>
#include <opusfile.h>

#include <array>

#include "codec/audio_support.h"

using namespace callvault;
using namespace callvault::codec_test;
using codec::TrackDecoder;
using codec::TrackEncoder;

namespace {

struct OpusFile {
  explicit OpusFile(const Bytes& bytes) : data(bytes) {
    int status = 0;
    file = op_open_memory(reinterpret_cast<const unsigned char*>(data.data()), data.size(), &status);
    REQUIRE_MESSAGE(file != nullptr, "libopusfile says " << status);
  }
  ~OpusFile() { op_free(file); }
  OpusFile(const OpusFile&) = delete;
  OpusFile& operator=(const OpusFile&) = delete;
  Samples read_all() const {
    Samples out, block(5760);
    for (;;) {
      const int got = op_read(file, block.data(), static_cast<int>(block.size()), nullptr);
      REQUIRE(got >= 0);
      if (got == 0) return out;
      out.insert(out.end(), block.begin(), block.begin() + got);
    }
  }
  Bytes data;
  OggOpusFile* file = nullptr;
};

Samples decimated(std::span<const std::int16_t> in, std::size_t by) {
  Samples out;
  for (std::size_t i = 0; i < in.size(); i += by) out.push_back(in[i]);
  return out;
}

// The best within 0.15 ms: libopus is ahead by a fraction of a sample of 8 kHz where its resampler is at work.
// `heard` has `by` times the source's rate.
double aligned_correlation(std::span<const std::int16_t> source, std::span<const std::int16_t> heard, std::size_t by,
                           std::uint32_t source_rate) {
  constexpr std::size_t kStart = 16;
  double best = -1;
  for (std::size_t early = 0; early <= source_rate * by * 15 / 100000; ++early) {
    const Samples there = decimated(heard.subspan(kStart * by - early), by);
    best = std::max(best, correlation(source.subspan(kStart), there));
  }
  return best;
}

TrackDecoder open_track(MemoryPages& pages, std::uint32_t rate) {
  auto decoder = TrackDecoder::open(pages, rate);
  REQUIRE(decoder);
  return std::move(*decoder);
}

void repair_checksum(Page& page) {
  ogg_page view{};
  auto* const bytes = reinterpret_cast<unsigned char*>(page.data());
  view.header = bytes;
  view.header_len = 27 + bytes[26];
  view.body = bytes + view.header_len;
  view.body_len = static_cast<long>(page.size()) - view.header_len;
  ogg_page_checksum_set(&view);
}

Errc error_of(MemoryPages& pages) {
  auto decoder = TrackDecoder::open(pages, 8000);
  if (!decoder) return decoder.error().code;
  Samples block(4096);
  for (;;) {
    const auto got = decoder->read(block);
    if (!got) return got.error().code;
    REQUIRE(*got > 0);
  }
}

}  // namespace

TEST_CASE("the pages together are a standard Ogg Opus file of exactly the source's length") {
  const Samples voice = speech(20);
  for (const std::uint32_t rate : {8000U, 12000U, 16000U, 24000U, 48000U}) {
    CAPTURE(rate);
    // 12 kHz: the same samples, told to be faster. The others keep their pitch.
    Samples source = rate == 12000 ? voice : stretched(voice, rate / 8000);
    source.resize(source.size() - 123);
    auto pages = encode(source, rate, {.bitrate = 64000});
    const OpusFile reference(pages.file());
    CHECK(op_channel_count(reference.file, -1) == 1);
    CHECK(op_head(reference.file, 0)->input_sample_rate == rate);
    CHECK(std::string_view(op_tags(reference.file, 0)->vendor) == "callvault " CALLVAULT_VERSION);
    CHECK(op_tags(reference.file, 0)->comments == 0);
    const auto total = op_pcm_total(reference.file, -1);
    CHECK(total == static_cast<ogg_int64_t>(source.size() * (48000 / rate)));
    const Samples heard = reference.read_all();
    CHECK(heard.size() == static_cast<std::size_t>(total));
    // libopusfile decodes at 48 kHz, ours at the track's rate: both against the source.
    CHECK(aligned_correlation(source, heard, 48000 / rate, rate) > 0.95);
    auto decoder = open_track(pages, rate);
    CHECK(*decoder.total_samples() == source.size());
    const Samples ours = read_some(decoder, source.size() + 1000);
    CHECK(ours.size() == source.size());
    CHECK(aligned_correlation(source, ours, 1, rate) > 0.95);
    // The comparison notices a shift of 1 ms.
    CHECK(aligned_correlation(std::span(source).subspan(rate / 1000), ours, 1, rate) < 0.9);
  }
}

TEST_CASE("default settings keep speech, in about two pages a second") {
  const Samples voice = speech(60);
  auto pages = encode(voice, 8000);
  auto decoder = open_track(pages, 8000);
  const Samples ours = read_some(decoder, voice.size());
  CHECK(correlation(voice, ours) > 0.9);
  CHECK(pages.pages.size() > 61);
  CHECK(pages.pages.size() < 160);
}

// What libopus' voice application takes off as rumble turns the phase of what it leaves: 10 dB here.
TEST_CASE("a voice keeps its shape, low tones with it") {
  const Samples voice = speech(10);
  auto pages = encode(voice, 8000);
  auto decoder = open_track(pages, 8000);
  CHECK(snr_db(voice, read_some(decoder, voice.size())) > 15);
}

TEST_CASE("tracks of every short length are exact, the empty one too") {
  const Samples voice = speech(3);
  for (std::size_t length = 0; length < 700; length += length < 330 ? 1 : 37) {
    CAPTURE(length);
    const Samples source(voice.begin() + 8000, voice.begin() + 8000 + static_cast<std::ptrdiff_t>(length));
    auto pages = encode(source, 8000, {.bitrate = std::nullopt, .complexity = 0}, 160);
    CHECK(pages.pages.size() == 2);
    auto decoder = open_track(pages, 8000);
    CHECK(*decoder.total_samples() == length);
    CHECK(read_some(decoder, 5000).size() == length);
    if (length % 50 == 0) CHECK(op_pcm_total(OpusFile(pages.file()).file, -1) == static_cast<long>(length * 6));
  }
}

TEST_CASE("every bitrate and complexity gives whole pages, silence and noise too") {
  std::mt19937 random(3);
  Samples mixture = speech(8);
  mixture.resize(mixture.size() + 24000);  // 3 s of silence
  for (int i = 0; i < 24000; ++i) mixture.push_back(static_cast<std::int16_t>(random()));
  for (const std::uint32_t bitrate : {6000U, 9000U, 16000U, 50000U, 128000U, 256000U}) {
    for (const int complexity : {0, 5, 10}) {
      for (const std::uint32_t rate : {8000U, 48000U}) {
        auto pages = encode(mixture, rate, {.bitrate = bitrate, .complexity = complexity});
        auto decoder = open_track(pages, rate);
        CHECK(read_some(decoder, mixture.size() + 1).size() == mixture.size());
      }
    }
  }
}

TEST_CASE("how the samples come in pieces makes no difference, and a page holds at most one second") {
  const Samples voice = speech(6);
  Samples quiet(48000);
  const auto payload = [](const MemoryPages& pages) {
    Bytes out;  // without serial number and checksum, which differ
    for (std::size_t i = 1; i < pages.pages.size(); ++i) {
      const Page& page = pages.pages[i];
      out.insert(out.end(), page.begin(), page.begin() + 14);
      out.insert(out.end(), page.begin() + 26, page.end());
    }
    return out;
  };
  CHECK(payload(encode(voice, 8000, {}, 1)) == payload(encode(voice, 8000, {}, 100000)));
  CHECK(payload(encode(voice, 8000, {}, 160)) == payload(encode(voice, 8000, {}, 1601)));
  const auto silent = encode(quiet, 8000);
  CHECK(silent.pages.size() == 1 + 6 + 1);
}

TEST_CASE("what is emitted so far is decodable") {
  const Samples voice = speech(30);
  auto encoder = TrackEncoder::make(8000, {});
  REQUIRE(encoder);
  MemoryPages pages;
  std::size_t checked = 0;
  for (std::size_t at = 0; at < voice.size(); at += 160) {
    REQUIRE(encoder->add(std::span(voice).subspan(at, 160), into(pages)));
    CHECK(encoder->samples_in() - encoder->samples_emitted() <= 8000 + 160 + 52);
    if (at % 16000 != 0) continue;
    auto decoder = open_track(pages, 8000);  // a track whose recorder died here
    CHECK(*decoder.total_samples() == encoder->samples_emitted());
    CHECK(read_some(decoder, voice.size()).size() == encoder->samples_emitted());
    ++checked;
  }
  CHECK(checked == 15);
}

TEST_CASE("a seek is exact, converges to the linear decode, and reads few pages") {
  const Samples voice = speech(300);
  auto pages = encode(voice, 8000, {.bitrate = std::nullopt, .complexity = 1});
  auto straight = open_track(pages, 8000);
  const Samples whole = read_some(straight, voice.size());
  REQUIRE(whole.size() == voice.size());
  const double most = 4 + std::log2(static_cast<double>(pages.pages.size()));
  std::mt19937 random(11);
  double worst = 100;
  int heard = 0;
  for (int round = 0; round < 200; ++round) {
    const std::size_t sample = round == 0 ? 0 : round == 1 ? 1 : random() % (whole.size() - 4000);
    CAPTURE(sample);
    auto decoder = open_track(pages, 8000);
    REQUIRE(decoder.seek(sample));
    CHECK(decoder.position() == sample);
    const Samples part = read_some(decoder, 4000);
    CHECK(decoder.position() == sample + 4000);
    const auto truth = std::span(whole).subspan(sample, 4000);
    // 4,000 samples may need two or three pages behind the first.
    CHECK(static_cast<double>(decoder.pages_read()) <= most + 2);
    // Between words libopus makes up noise: there only its level can be the same.
    const bool audible = std::any_of(truth.begin(), truth.end(), [](int s) { return std::abs(s) > 1000; });
    if (audible) {
      ++heard;
      worst = std::min(worst, snr_db(truth, part));
      CHECK(snr_db(truth, part) > 15);
    } else {
      CHECK(std::all_of(part.begin(), part.end(), [](int s) { return std::abs(s) < 1200; }));
    }
    if (sample <= 1) CHECK(std::equal(part.begin(), part.end(), truth.begin()));
  }
  CHECK(heard > 100);
  MESSAGE("lowest SNR of a part after a seek against the linear decode: " << worst << " dB");
  // Back and forth in one decoder; the end and beyond.
  REQUIRE(straight.seek(100000));
  REQUIRE(straight.seek(5));
  const Samples again = read_some(straight, 1000);
  CHECK(std::equal(again.begin(), again.end(), whole.begin() + 5));
  for (const std::uint64_t end : {std::uint64_t{voice.size()}, UINT64_MAX}) {
    REQUIRE(straight.seek(end));
    CHECK(straight.position() == voice.size());
    CHECK(read_some(straight, 100).empty());
  }
  REQUIRE(straight.seek(voice.size() - 7));
  CHECK(read_some(straight, 100).size() == 7);
}

TEST_CASE("opening and seeking read the header, the last page, and a path to the place") {
  auto pages = encode(speech(1200), 8000, {.bitrate = 16000, .complexity = 0});
  auto decoder = open_track(pages, 8000);
  CHECK(decoder.pages_read() == 1);
  REQUIRE(decoder.seek(8000 * 600));
  Samples first(160);
  CHECK(*decoder.read(first) > 0);
  CHECK(static_cast<double>(decoder.pages_read()) <= 3 + std::ceil(std::log2(pages.pages.size())));
}

TEST_CASE("pages that TrackEncoder does not write are corrupt") {
  const auto good = encode(speech(5), 8000);
  SUBCASE("any flipped byte is noticed by its checksum") {
    for (std::size_t page = 0; page < 3; ++page) {
      for (std::size_t at = 0; at < codec::kPageBytes; at += 3) {
        auto pages = good;
        pages.pages[page][at] ^= std::byte{0x10};
        CHECK(error_of(pages) == Errc::corrupt);
      }
    }
  }
  SUBCASE("pages in another order, missing, twice, of another track") {
    auto pages = good;
    std::swap(pages.pages[2], pages.pages[3]);
    CHECK(error_of(pages) == Errc::corrupt);
    pages = good;
    pages.pages.erase(pages.pages.begin() + 2);
    CHECK(error_of(pages) == Errc::corrupt);
    pages = good;
    pages.pages.insert(pages.pages.begin() + 2, pages.pages[2]);
    CHECK(error_of(pages) == Errc::corrupt);
    pages = good;
    pages.pages[2] = encode(speech(5), 8000).pages[2];
    CHECK(error_of(pages) == Errc::corrupt);
    pages = good;
    pages.pages.push_back(pages.pages.back());
    CHECK(error_of(pages) == Errc::corrupt);
    pages.pages.clear();
    CHECK(error_of(pages) == Errc::corrupt);
  }
  SUBCASE("positions that lie") {
    for (const unsigned value : {0U, 1U, 0x7fU, 0xffU}) {
      for (std::size_t at = 6; at < 14; ++at) {
        auto pages = good;
        pages.pages[2][at] = static_cast<std::byte>(value);
        if (pages.pages[2] == good.pages[2]) continue;
        repair_checksum(pages.pages[2]);
        CHECK(error_of(pages) == Errc::corrupt);
      }
    }
  }
}

TEST_CASE("what cannot be asked for") {
  CHECK(TrackEncoder::make(11025, {}).error().code == Errc::usage);
  CHECK(TrackEncoder::make(0, {}).error().code == Errc::usage);
  CHECK(TrackEncoder::make(8000, {.bitrate = 5999}).error().code == Errc::usage);
  CHECK(TrackEncoder::make(8000, {.bitrate = 256001}).error().code == Errc::usage);
  CHECK(TrackEncoder::make(8000, {.bitrate = std::nullopt, .complexity = 11}).error().code == Errc::usage);
  CHECK(TrackEncoder::make(8000, {.bitrate = std::nullopt, .complexity = -1}).error().code == Errc::usage);
  MemoryPages none;
  CHECK(TrackDecoder::open(none, 44100).error().code == Errc::usage);
  auto encoder = TrackEncoder::make(8000, {});
  REQUIRE(encoder);
  const auto full = [](std::span<const std::byte>, bool) -> Result<void> { return fail(Errc::no_space, "disk full"); };
  CHECK(encoder->add(Samples(160), full).error().code == Errc::no_space);
}
