#include "codec/pcm_source.h"

#include <atomic>

#include "codec/audio_support.h"

using namespace callvault;
using namespace callvault::codec_test;
using codec::open_source;

namespace {

Bytes with_odd_chunks() {
  Bytes out = chunk("LIST", "INFOISFT\x05\0\0\0abcd");
  append(out, chunk("odd ", "123"));
  append(out, chunk("JUNK", std::string(5000, 'j')));
  append(out, chunk("bext", std::string(602, 'b')));
  return out;
}

// As some recorders write it.
Bytes without_padding(std::string_view id, std::string_view odd_content) {
  Bytes out = chunk(id, odd_content);
  out.pop_back();
  return out;
}

Bytes both(Bytes first, const Bytes& second) {
  append(first, second);
  return first;
}

// What libsndfile itself makes of the samples, for any format it writes.
Bytes sndfile_bytes(const TempFolder& folder, int format, int rate, int channels, const Samples& samples) {
  const auto path = folder.path() / ("made-" + std::to_string(std::random_device{}()));
  SF_INFO info{};
  info.samplerate = rate;
  info.channels = channels;
  info.format = format;
  SNDFILE* const file = sf_open(path.c_str(), SFM_WRITE, &info);
  REQUIRE_MESSAGE(file != nullptr, sf_strerror(nullptr));
  sf_command(file, SFC_SET_SCALE_INT_FLOAT_WRITE, nullptr, SF_TRUE);
  REQUIRE(sf_write_short(file, samples.data(), static_cast<sf_count_t>(samples.size())) ==
          static_cast<sf_count_t>(samples.size()));
  sf_close(file);
  std::ifstream in(path, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  return base::to_bytes(base::as_bytes(text));
}

}  // namespace

TEST_CASE("wav as recorders leave it gives every sample that is there") {
  const Samples voice = speech(3);
  const Bytes samples = bytes_of(voice);
  const auto bytes = static_cast<std::uint32_t>(samples.size());
  struct Case {
    const char* what;
    WavRecipe recipe;
    bool truncated = false;
  };
  const std::vector<Case> cases{
      {"finished", {}},
      {"killed asterisk", {.riff_size = 0, .data_size = 0}},
      {"killed baresip", {.riff_size = 8, .data_size = 0}},
      {"both sizes of a header that was never patched", {.riff_size = 8, .data_size = 8}},
      {"samples' size never patched, riff unknown", {.riff_size = 0, .data_size = 8}},
      {"eight bytes, and the riff size says so", {.riff_size = 44, .data_size = 8}, true},
      {"no padding", {.before = without_padding("LIST", "INFOISFTabc")}},
      {"no padding, sizes unknown", {.riff_size = 0, .data_size = 0, .before = without_padding("odd ", "123")}},
      {"no padding, twice", {.before = both(without_padding("odd ", "123"), without_padding("bext", "1"))}},
      {"no padding before what nobody knows",
       {.before = both(without_padding("LIST", "1"), chunk("xtra", "12"))},
       true},
      {"padding that could be a letter", {.before = both(without_padding("odd ", "123"), {std::byte{'x'}})}},
      {"riff size of an empty file", {.riff_size = 36, .data_size = 0}},
      {"piped", {.riff_size = 0xffffffff, .data_size = 0xffffffff}},
      {"piped, less the header", {.riff_size = 0xffffffff, .data_size = 0xffffffff - 36}},
      {"piped, signed", {.riff_size = 0x7fffffff, .data_size = 0x7fffffff}},
      {"piped, signed and less", {.riff_size = 0x7fffffff, .data_size = 0x7fffffff - 36}},
      {"piped, signed and rounded", {.riff_size = 0x7ffff024, .data_size = 0x7ffff000}},
      {"piped, the sign bit", {.riff_size = 0x80000024, .data_size = 0x80000000}},
      {"chunks before the samples", {.before = with_odd_chunks()}},
      {"chunks before, sizes unknown", {.riff_size = 0, .data_size = 0, .before = with_odd_chunks()}},
      {"chunks after", {.after = with_odd_chunks()}},
      {"a list after, riff unknown", {.riff_size = 0, .after = chunk("LIST", "INFOISFT\x02\0\0\0ab")}},
      {"extensible", {.extensible = true}},
      {"rf64 without sizes", {.riff_size = 0xffffffff, .data_size = 0xffffffff, .form = "RF64"}},
      {"promises more", {.riff_size = bytes + 1036, .data_size = bytes + 1000}, true},
      {"promises one byte more", {.data_size = bytes + 1}, true},
      {"went on after the size was written", {.riff_size = 16036, .data_size = 16000}, true},
      {"an odd promise", {.data_size = bytes - 1}, false},
  };
  for (const Case& each : cases) {
    CAPTURE(each.what);
    const Bytes wav = make_wav(each.recipe, samples);
    for (const bool piped : {true, false}) {
      CAPTURE(piped);
      for (const InputFormat format : {InputFormat::automatic, InputFormat::wav}) {
        const AudioFormat audio{.format = format, .rate_hz = 8000, .channels = std::nullopt};
        const auto heard = piped ? hear_pipe(wav, audio) : hear_file(wav, audio);
        REQUIRE(heard);
        CHECK(heard->rate == 8000);
        CHECK(heard->channels == 1);
        CHECK(heard->truncated == each.truncated);
        Samples expected = voice;
        if (std::string_view(each.what) == "an odd promise") expected.pop_back();
        CHECK((heard->samples == expected));
      }
    }
  }
}

TEST_CASE("an odd number of bytes is padded before the next chunk") {
  const Bytes odd(801, std::byte{0x55});
  Bytes after{std::byte{0}};
  append(after, chunk("LIST", "INFOISFT"));
  for (const auto riff_size : {std::optional<std::uint32_t>(), std::optional<std::uint32_t>(0)}) {
    const auto heard = hear_pipe(make_wav({.tag = 7, .bits = 8, .riff_size = riff_size, .after = after}, odd));
    REQUIRE(heard);
    CHECK(heard->samples.size() == odd.size());
    CHECK_FALSE(heard->truncated);
  }
  // The padding was left out, and the size's first byte could be a letter of an id.
  const Bytes list = both(without_padding("LIST", std::string(0x61, 'a')), chunk("LIST", std::string(0x64, 'b')));
  const auto unpadded = hear_pipe(make_wav({.tag = 7, .bits = 8, .before = list, .after = list}, odd));
  REQUIRE(unpadded);
  CHECK(unpadded->samples.size() == odd.size());
  CHECK_FALSE(unpadded->truncated);
  const auto padding_only = hear_pipe(make_wav({.tag = 7, .bits = 8, .after = {std::byte{0}}}, odd));
  REQUIRE(padding_only);
  CHECK(padding_only->samples.size() == odd.size());
  CHECK_FALSE(padding_only->truncated);
}

TEST_CASE("rf64 sizes count when they are given") {
  const Samples voice = speech(1);
  Bytes sizes;
  put_number<std::uint64_t>(sizes, 0);
  put_number<std::uint64_t>(sizes, 16000);
  put_number<std::uint64_t>(sizes, 8000);
  put_number<std::uint32_t>(sizes, 0);
  WavRecipe recipe{.riff_size = 0xffffffff, .data_size = 0xffffffff, .before = chunk("ds64", base::as_text(sizes))};
  recipe.form = "RF64";
  recipe.after = chunk("LIST", "INFO");
  const auto heard = hear_pipe(make_wav(recipe, bytes_of(voice)));
  REQUIRE(heard);
  CHECK((heard->samples == voice));
  CHECK_FALSE(heard->truncated);
}

TEST_CASE("an empty data chunk followed by others has no audio") {
  const auto heard = hear_pipe(make_wav({.after = chunk("LIST", "INFOISFT")}, {}));
  REQUIRE(heard);
  CHECK(heard->samples.empty());
  CHECK_FALSE(heard->truncated);
}

TEST_CASE("every coding that is streamed decodes as libsndfile's own reading of it") {
  const TempFolder folder;
  Samples voice = speech(2);
  voice[100] = 32767;
  voice[101] = -32768;
  for (const int coding : {SF_FORMAT_PCM_U8, SF_FORMAT_PCM_16, SF_FORMAT_PCM_24, SF_FORMAT_PCM_32, SF_FORMAT_FLOAT,
                           SF_FORMAT_DOUBLE, SF_FORMAT_ULAW, SF_FORMAT_ALAW}) {
    for (const int container : {SF_FORMAT_WAV, SF_FORMAT_WAVEX, SF_FORMAT_RF64}) {
      for (const int channels : {1, 2}) {
        CAPTURE(coding);
        CAPTURE(container);
        CAPTURE(channels);
        const Bytes wav = sndfile_bytes(folder, container | coding, 16000, channels, voice);
        const auto heard = hear_pipe(wav, {}, 1000);
        REQUIRE(heard);
        CHECK(heard->rate == 16000);
        CHECK(heard->channels == static_cast<unsigned>(channels));
        CHECK_FALSE(heard->truncated);
        REQUIRE(heard->samples.size() == voice.size());
        int worst = 0;
        for (std::size_t i = 0; i < voice.size(); ++i) worst = std::max(worst, std::abs(heard->samples[i] - voice[i]));
        const bool lossy = coding == SF_FORMAT_ULAW || coding == SF_FORMAT_ALAW;
        CHECK(worst <= (coding == SF_FORMAT_PCM_U8 ? 256 : lossy ? 1024 : 1));
        CHECK(correlation(heard->samples, voice) > (coding == SF_FORMAT_PCM_U8 ? 0.99 : 0.999));
        const auto from_file = hear_file(wav);
        REQUIRE(from_file);
        CHECK((from_file->samples == heard->samples));
      }
    }
  }
}

TEST_CASE("floating point is rounded and clipped") {
  const std::vector<float> floats{0.5F, -0.5F, 1.0F, -1.0F, 7.0F, -7.0F, 0.0F, 1.0F / 32768};
  const auto heard = hear_pipe(make_wav({.tag = 3, .bits = 32}, bytes_of(floats)));
  REQUIRE(heard);
  CHECK((heard->samples == Samples{16384, -16384, 32767, -32768, 32767, -32768, 0, 1}));
}

TEST_CASE("headerless audio, and no more than whole frames") {
  const Samples voice = speech(1);
  Bytes samples = bytes_of(voice);
  samples.push_back(std::byte{1});
  auto heard =
      hear_pipe(samples, {.format = InputFormat::s16le, .rate_hz = std::nullopt, .channels = std::nullopt}, 333);
  REQUIRE(heard);
  CHECK(heard->rate == 8000);
  CHECK((heard->samples == voice));
  heard = hear_file(samples, {.format = InputFormat::s16le, .rate_hz = 24000, .channels = ChannelMap::agent_caller});
  REQUIRE(heard);
  CHECK(heard->rate == 24000);
  CHECK(heard->channels == 2);
  CHECK((heard->samples == voice));
  // ITU-T G.711: quiet is 0xff (u-law) and 0xd5 (A-law); the loudest are 0x80 / 0x00 and 0xaa / 0x2a.
  const Bytes ulaw{std::byte{0xff}, std::byte{0x80}, std::byte{0x00}};
  heard = hear_pipe(ulaw, {.format = InputFormat::ulaw, .rate_hz = std::nullopt, .channels = std::nullopt});
  REQUIRE(heard);
  CHECK((heard->samples == Samples{0, 32124, -32124}));
  const Bytes alaw{std::byte{0xd5}, std::byte{0xaa}, std::byte{0x2a}};
  heard = hear_pipe(alaw, {.format = InputFormat::alaw, .rate_hz = std::nullopt, .channels = std::nullopt});
  REQUIRE(heard);
  CHECK((heard->samples == Samples{8, 32256, -32256}));
}

TEST_CASE("other containers, from a file and from a pipe") {
  const TempFolder folder;
  const Samples voice = speech(4);
  for (const int format :
       {SF_FORMAT_FLAC | SF_FORMAT_PCM_16, SF_FORMAT_AU | SF_FORMAT_PCM_16, SF_FORMAT_AIFF | SF_FORMAT_PCM_16,
        SF_FORMAT_CAF | SF_FORMAT_PCM_16, SF_FORMAT_W64 | SF_FORMAT_PCM_16,
        SF_FORMAT_WAV | SF_FORMAT_PCM_16 | SF_ENDIAN_BIG, SF_FORMAT_OGG | SF_FORMAT_VORBIS,
        SF_FORMAT_WAV | SF_FORMAT_GSM610, SF_FORMAT_WAV | SF_FORMAT_IMA_ADPCM}) {
    CAPTURE(format);
    const Bytes file = sndfile_bytes(folder, format, 8000, 1, voice);
    const auto piped = hear_pipe(file);
    const auto read = hear_file(file);
    REQUIRE(piped);
    REQUIRE(read);
    CHECK(piped->rate == 8000);
    CHECK_FALSE(piped->truncated);
    CHECK((piped->samples == read->samples));
    CHECK(piped->samples.size() >= voice.size());
    CHECK(piped->samples.size() < voice.size() + 1100);  // some codings have whole blocks only
    CHECK(correlation(piped->samples, voice) > 0.9);
  }
}

TEST_CASE("gsm in a wav whose recorder died") {
  const TempFolder folder;
  const Samples voice = speech(4);
  Bytes file = sndfile_bytes(folder, SF_FORMAT_WAV | SF_FORMAT_GSM610, 8000, 1, voice);
  const auto data = std::search(file.begin(), file.end(), base::as_bytes("data").begin(), base::as_bytes("data").end());
  REQUIRE(data != file.end());
  const auto whole = hear_file(file);
  std::fill_n(file.begin() + 4, 4, std::byte{0});
  std::fill_n(data + 4, 4, std::byte{0});
  for (const bool piped : {true, false}) {
    const auto heard = piped ? hear_pipe(file) : hear_file(file);
    REQUIRE(heard);
    CHECK((heard->samples == whole->samples));
    CHECK_FALSE(heard->truncated);
  }
}

TEST_CASE("other rates become the nearest of opus above, with the same length and sound") {
  const Samples voice = speech(5);
  struct Case {
    std::uint32_t from, to;
  };
  for (const Case each : {Case{2000, 8000}, Case{6000, 8000}, Case{11025, 12000}, Case{22050, 24000},
                          Case{32000, 48000}, Case{44100, 48000}, Case{96000, 48000}, Case{384000, 48000}}) {
    const std::uint32_t from = each.from, to = each.to;
    CAPTURE(from);
    Samples tone(from);
    for (std::size_t i = 0; i < tone.size(); ++i)
      tone[i] =
          static_cast<std::int16_t>(std::lround(12000 * std::sin(2 * M_PI * 440 * static_cast<double>(i) / from)));
    const auto heard = hear_pipe(make_wav({.rate = from}, bytes_of(tone)), {}, 3001);
    REQUIRE(heard);
    CHECK(heard->rate == to);
    CHECK(std::abs(static_cast<double>(heard->samples.size()) - to) <= 2);
    Samples truth(heard->samples.size());
    for (std::size_t i = 0; i < truth.size(); ++i)
      truth[i] = static_cast<std::int16_t>(std::lround(12000 * std::sin(2 * M_PI * 440 * static_cast<double>(i) / to)));
    const auto middle = [](const Samples& s) { return std::span(s).subspan(1000, s.size() - 2000); };
    CHECK(snr_db(middle(truth), middle(heard->samples)) > 60);
  }
  const auto two = hear_pipe(make_wav({.channels = 2, .rate = 11025}, bytes_of(voice)));
  REQUIRE(two);
  CHECK(two->channels == 2);
}

TEST_CASE("what is refused, and how it is said") {
  const Samples voice = speech(1);
  const Bytes samples = bytes_of(voice);
  const auto refused = [](const Result<Heard>& heard, std::string_view says) {
    REQUIRE_FALSE(heard);
    CHECK(heard.error().code == Errc::usage);
    CAPTURE(heard.error().message);
    CHECK(heard.error().message.find(says) != std::string::npos);
  };
  refused(hear_pipe(make_wav({.channels = 3}, samples)), "3 channels");
  refused(hear_pipe(make_wav({.channels = 0}, samples)), "0 channels");
  refused(hear_pipe(make_wav({.rate = 1999}, samples)), "1999 Hz");
  refused(hear_pipe(make_wav({.rate = 0}, samples)), "0 Hz");
  refused(hear_pipe(make_wav({.rate = 384001}, samples)), "384001 Hz");
  refused(hear_pipe(make_wav({}, samples), {.format = InputFormat::wav, .rate_hz = 16000, .channels = std::nullopt}),
          "16000 Hz was asked for");
  refused(hear_pipe(samples, {.format = InputFormat::ulaw, .rate_hz = 100, .channels = std::nullopt}), "100 Hz");
  refused(hear_pipe(samples), "--format");
  refused(hear_file(samples), "--format");
  refused(hear_pipe(samples, {.format = InputFormat::wav, .rate_hz = std::nullopt, .channels = std::nullopt}),
          "not wav");
  refused(hear_pipe(base::to_bytes(base::as_bytes("hello"))), "--format");
  refused(hear_pipe(make_wav({.before = chunk("JUNK", std::string(1 << 20, 'j'))}, samples)), "1 MiB");
  refused(hear_pipe(make_wav({.tag = 0x4444}, samples)), "libsndfile");
  Bytes headless;
  put(headless, "RIFF....WAVEdata....");
  append(headless, samples);
  refused(hear_pipe(headless), "no format");
  const Bytes whole = make_wav({.before = with_odd_chunks()}, samples);
  for (std::size_t length = 1; length < 5800; length += length < 60 ? 1 : 97) {
    CAPTURE(length);
    const auto heard = hear_pipe({whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(length)});
    if (heard) CHECK(heard->samples.size() < 100);
    if (!heard) CHECK(heard.error().code == Errc::usage);
  }
  const TempFolder folder;
  CHECK(hear({.audio = {}, .fd = -1, .file = folder.path() / "none", .should_stop = nullptr}).error().code ==
        Errc::not_found);
  CHECK(hear({.audio = {}, .fd = -1, .file = folder.path(), .should_stop = nullptr}).error().code == Errc::usage);
  CHECK(hear({.audio = {}, .fd = -1, .file = std::nullopt, .should_stop = nullptr}).error().code == Errc::io);
}

TEST_CASE("no audio at all is the end at once") {
  for (const InputFormat format : {InputFormat::automatic, InputFormat::wav, InputFormat::s16le, InputFormat::alaw}) {
    const AudioFormat audio{.format = format, .rate_hz = std::nullopt, .channels = std::nullopt};
    const auto heard = hear_pipe({}, audio);
    REQUIRE(heard);
    CHECK(heard->samples.empty());
  }
  const auto heard = hear_pipe(make_wav({.riff_size = 0, .data_size = 0}, {}));
  REQUIRE(heard);
  CHECK(heard->samples.empty());
}

TEST_CASE("a stream without end or header sizes does not grow, and non-wav is not gathered without bound") {
  // Random bytes behind a kind that libsndfile takes a long look at.
  Bytes endless;
  put(endless, ".snd");
  endless.resize((std::size_t{64} << 20) + 100000, std::byte{0});
  const auto heard = hear_pipe(endless);
  REQUIRE_FALSE(heard);
  CHECK(heard.error().code == Errc::usage);
  CHECK(heard.error().message.find("64 MiB") != std::string::npos);
}

TEST_CASE("a silent pipe notices the end of the call, and gives what was in it") {
  int ends[2];
  REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
  const Samples voice = speech(1);
  const Bytes wav = make_wav({.riff_size = 0, .data_size = 0}, bytes_of(voice));
  REQUIRE(::write(ends[1], wav.data(), wav.size()) == static_cast<ssize_t>(wav.size()));
  std::atomic<bool> stop{false};
  auto source =
      open_source({.audio = {}, .fd = ends[0], .file = std::nullopt, .should_stop = [&] { return stop.load(); }});
  REQUIRE(source);
  Samples block(160);
  Samples got;
  const auto take = [&] {
    const auto n = (*source)->read(block);
    REQUIRE(n);
    got.insert(got.end(), block.begin(), block.begin() + static_cast<std::ptrdiff_t>(*n));
    return *n;
  };
  for (int i = 0; i < 10; ++i) CHECK(take() == 160);
  SUBCASE("while samples wait in the pipe") {
    stop = true;
    while (take() > 0) {
    }
    CHECK((got == voice));
  }
  SUBCASE("while it waits for more") {
    while (got.size() < voice.size()) take();
    const auto begin = std::chrono::steady_clock::now();
    std::thread later([&] {
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
      stop = true;
    });
    CHECK(take() == 0);
    const auto waited = std::chrono::steady_clock::now() - begin;
    CHECK(waited > std::chrono::milliseconds(90));
    CHECK(waited < std::chrono::milliseconds(600));
    later.join();
    CHECK((got == voice));
  }
  CHECK_FALSE((*source)->truncated());
  ::close(ends[0]);
  ::close(ends[1]);
}

TEST_CASE("a producer that never pauses is stopped all the same") {
  const Feed feed(Bytes(8 << 20), 4096);
  int polls = 0;
  auto source = open_source({.audio = {.format = InputFormat::s16le, .rate_hz = std::nullopt, .channels = std::nullopt},
                             .fd = feed.fd(),
                             .file = std::nullopt,
                             .should_stop = [&] { return ++polls > 10; }});
  REQUIRE(source);
  Samples block(160);
  std::size_t total = 0;
  for (std::size_t got = 1; got > 0; total += got) got = *(*source)->read(block);
  CHECK(total * 2 <= 65536 + 11 * 4096);
}

TEST_CASE("20 ms that have arrived are given without waiting for more") {
  int ends[2];
  REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
  auto source = open_source({.audio = {.format = InputFormat::s16le, .rate_hz = std::nullopt, .channels = std::nullopt},
                             .fd = ends[0],
                             .file = std::nullopt,
                             .should_stop = nullptr});
  REQUIRE(source);
  const Samples voice = speech(1);
  Samples block(8000);
  for (std::size_t at = 0; at < 1600; at += 160) {
    REQUIRE(::write(ends[1], voice.data() + at, 320) == 320);
    CHECK(*(*source)->read(block) == 160);
  }
  ::close(ends[1]);
  CHECK(*(*source)->read(block) == 0);
  ::close(ends[0]);
}
