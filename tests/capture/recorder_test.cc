#include "capture/recorder.h"

#include "recorder_fixture.h"

using namespace callvault;
using namespace callvault::recorder_test;
using namespace std::chrono_literals;

TEST_CASE("a call is sealed from a pipe, and heard again") {
  const TestVault vault;
  const Samples said = tone(8000 * 7 + 123);
  Feed feed;
  feed.run([&](const Feed& f) { f.write(said); });
  auto options = raw_input(feed.fd());
  options.caller = "0722 000 001";
  options.call_id = "x-1";
  RecordingId started;
  options.on_started = [&](const RecordingId& id) {
    started = id;
    CHECK(vault.incoming() == std::vector<std::string>{id.text() + ".mixed.part"});
  };
  const auto view = vault.view();
  const auto summary = must(capture::record(view, options));
  CHECK(summary.id == started);
  CHECK(summary.duration_s == doctest::Approx(7.015).epsilon(0.001));
  CHECK_FALSE(summary.flags.truncated);
  CHECK(vault.incoming() == std::vector<std::string>{started.text() + ".mixed"});

  auto file = vault.open(vault.incoming()[0]);
  CHECK(file.metadata.caller == "+40722000001");
  CHECK(file.metadata.sample_rate == 8000);
  const auto trailer = must(file.reader.read_trailer(file.secrets.recording));
  CHECK(trailer.duration == 7015ms);
  CHECK(trailer.chunk_hash == must(file.reader.hash_chunks()));
  CHECK(trailer.audio_hash == crypto::blake2b(must(sealed::audio_hash_key("x-1")), std::as_bytes(std::span(said))));
  CHECK(summary.sealed_bytes == file.reader.file_bytes());
  const Samples heard = vault.audio_of(TrackName::mixed);
  CHECK(heard.size() == said.size());
  CHECK(loudness(heard) == doctest::Approx(loudness(said)).epsilon(0.1));
}

TEST_CASE("two parties become two tracks under keys of their own; mixed, one") {
  const Samples left = tone(24'000, 440, 12'000), right = tone(24'000, 700, 3'000);
  Samples both;
  for (std::size_t i = 0; i < left.size(); ++i) both.insert(both.end(), {left[i], right[i]});
  // Headerless input has the channels that the map names; a mixed one comes as WAV.
  const auto wav = [&] {
    Samples out(22);
    const unsigned char header[44] = {'R', 'I', 'F', 'F', 0,  0, 0,   0,   'W', 'A',  'V',  'E', 'f', 'm',  't',
                                      ' ', 16,  0,   0,   0,  1, 0,   2,   0,   0x40, 0x1f, 0,   0,   0x00, 0x7d,
                                      0,   0,   4,   0,   16, 0, 'd', 'a', 't', 'a',  0,    0,   0,   0};
    std::memcpy(out.data(), header, sizeof header);
    out.insert(out.end(), both.begin(), both.end());
    return out;
  }();
  const auto record = [&](const TestVault& vault, InputFormat format, std::optional<ChannelMap> map) {
    Feed feed;
    feed.run([&](const Feed& f) { f.write(format == InputFormat::wav ? wav : both); });
    auto options = raw_input(feed.fd());
    options.audio.format = format;
    if (format == InputFormat::wav) options.audio.rate_hz.reset();
    options.audio.channels = map;
    const auto view = vault.view();
    return capture::record(view, options);
  };
  {
    const TestVault vault;
    const auto summary = must(record(vault, InputFormat::wav, std::nullopt));
    REQUIRE(summary.tracks.size() == 2);
    CHECK(loudness(vault.audio_of(TrackName::caller)) == doctest::Approx(loudness(left)).epsilon(0.1));
    CHECK(loudness(vault.audio_of(TrackName::agent)) == doctest::Approx(loudness(right)).epsilon(0.1));
    const auto a = vault.open(vault.incoming()[0]), b = vault.open(vault.incoming()[1]);
    CHECK(crypto::equal(a.secrets.recording.reveal(), b.secrets.recording.reveal()));
    CHECK_FALSE(crypto::equal(a.secrets.track.reveal(), b.secrets.track.reveal()));
    CHECK(a.metadata.tracks == std::vector{TrackName::caller, TrackName::agent});
  }
  {
    const TestVault vault;
    must(record(vault, InputFormat::s16le, ChannelMap::agent_caller));
    CHECK(loudness(vault.audio_of(TrackName::agent)) == doctest::Approx(loudness(left)).epsilon(0.1));
  }
  {
    const TestVault vault;
    const auto summary = must(record(vault, InputFormat::wav, ChannelMap::mixed));
    CHECK(summary.tracks.size() == 1);
    const Samples heard = vault.audio_of(TrackName::mixed);
    CHECK(heard.size() == left.size());
    CHECK(loudness(heard) == doctest::Approx(std::hypot(loudness(left), loudness(right)) / 2).epsilon(0.1));
  }
  {
    const TestVault vault;
    CHECK(record(vault, InputFormat::wav, ChannelMap::caller).error().code == Errc::usage);
    CHECK(vault.incoming().empty());
  }
  {
    const TestVault vault;
    Feed feed;
    feed.run([&](const Feed& f) { f.write(left); });
    auto options = raw_input(feed.fd());
    options.audio.channels = ChannelMap::agent;
    const auto view = vault.view();
    must(capture::record(view, options));
    CHECK(vault.audio_of(TrackName::agent).size() == left.size());
  }
}

TEST_CASE("what may not be recorded is refused, and nothing is stored") {
  const TestVault vault;
  const auto view = vault.view();
  const FixedClock clock{Time(1'700'000'000'000ms)};
  const auto refuse = [&](Errc code, auto change) {
    Feed feed;
    feed.run([](const Feed& f) { f.write(tone(8000)); });
    auto options = raw_input(feed.fd());
    options.clock = &clock;
    options.on_started = [](const RecordingId&) { FAIL("it was started"); };
    change(options);
    const auto result = capture::record(view, options);
    REQUIRE_FALSE(result);
    CHECK_MESSAGE(result.error().code == code, result.error().message);
    CHECK(vault.incoming().empty());
  };
  refuse(Errc::refused, [](IngestOptions& o) { o.consent = Consent::refused; });
  refuse(Errc::refused, [&](IngestOptions& o) { o.started_at = clock.now() + 5min + 1ms; });
  refuse(Errc::refused, [&](IngestOptions& o) { o.started_at = clock.now() - 24h * 190; });
  refuse(Errc::refused, [&](IngestOptions& o) {
    o.retention_class = "short";
    o.started_at = clock.now() - 24h;
  });
  refuse(Errc::refused, [](IngestOptions& o) { o.retention_class = "none-such"; });
  refuse(Errc::usage, [](IngestOptions& o) { o.agent = "\x1b[2J"; });
  refuse(Errc::usage, [](IngestOptions& o) { o.caller = std::string(200, '1'); });
  refuse(Errc::usage, [](IngestOptions& o) { o.encoder.complexity = 11; });
  refuse(Errc::usage, [](IngestOptions& o) { o.consent = Consent::withdrawn; });

  Feed feed;
  feed.run([](const Feed& f) { f.write(tone(8000)); });
  auto options = raw_input(feed.fd());
  options.clock = &clock;
  options.started_at = clock.now() - 24h * 30;
  const auto summary = must(capture::record(view, options));
  CHECK(summary.started_at == clock.now() - 24h * 30);
  CHECK(summary.ended_at == clock.now() - 24h * 30 + 1s);
}

TEST_CASE("an input without audio is an error and leaves nothing") {
  const TestVault vault;
  const auto view = vault.view();
  Feed feed;
  feed.close_write();
  auto options = raw_input(feed.fd());
  options.on_started = [](const RecordingId&) { FAIL("it was started"); };
  CHECK(capture::record(view, options).error().code == Errc::usage);
  options.file = "/dev/null";
  CHECK_FALSE(capture::record(view, options));
  CHECK(vault.incoming().empty());
}

TEST_CASE("a call ends by its stop file or when asked to") {
  const TestVault vault;
  const auto view = vault.view();
  for (const bool by_file : {true, false}) {
    Feed feed;
    feed.run([](const Feed& f) {
      const Samples part = tone(160);
      while (f.write(part)) std::this_thread::sleep_for(5ms);
    });
    auto options = raw_input(feed.fd());
    std::atomic<bool> stop{false};
    options.should_stop = [&] { return stop.load(); };
    std::thread later;
    RecordingId id;
    options.on_started = [&](const RecordingId& started) {
      id = started;
      later = std::thread([&, started] {
        std::this_thread::sleep_for(300ms);
        if (by_file) {
          (void)os::write_new_file(vault.layout().incoming() / sealed::stop_file_name(started), {});
        } else {
          stop = true;
        }
      });
    };
    const auto summary = capture::record(view, options);
    later.join();
    feed.close_read();
    must(summary);
    CHECK(summary->duration_s > 0);
    auto file = vault.open(sealed::to_text({id, TrackName::mixed, 0, sealed::FileState::finished}));
    CHECK_FALSE(must(file.reader.read_trailer(file.secrets.recording)).interrupted);
  }
}

TEST_CASE("what is said in a pause is not encoded, and the answer goes with the call") {
  const TestVault vault;
  const auto view = vault.view();
  Feed feed;
  bool answered = false;
  RecordingId id;
  feed.run([&](const Feed& f) {
    f.write(tone(8000));
    id = running_call(vault, f);
    pause_call(vault, id);
    answered = os::exists(vault.layout().incoming() / sealed::paused_file_name(id));
    f.write(tone(8000));
    // Whether it was taken or lies in the pipe.
    must(capture::ask_to_resume(vault.layout(), id));
    must(capture::await_resume(vault.layout(), id, 5s));
    f.write(tone(16000));
    (void)running_call(vault, f);
    pause_call(vault, id);
    f.write(tone(8000));
  });
  const auto summary = must(capture::record(view, raw_input(feed.fd())));
  CHECK(answered);
  CHECK(summary.duration_s == doctest::Approx(5.0));
  CHECK_FALSE(os::exists(vault.layout().incoming() / sealed::paused_file_name(id)));
  CHECK(os::exists(vault.layout().incoming() / sealed::pause_file_name(id)));  // whoever settles takes it away
  const auto heard = vault.audio_of(TrackName::mixed);
  CHECK(loudness(heard, 800, 7200) > 4000);
  CHECK(loudness(heard, 8800, 16000) < 10);
  CHECK(loudness(heard, 18000, 31000) > 4000);
  CHECK(loudness(heard, 32800, 40000) < 10);
}

// All but 20 ms of it was lost once.
TEST_CASE("what waits in the pipe when the call is asked to end is sealed") {
  const TestVault vault;
  const auto view = vault.view();
  Feed feed;
  REQUIRE(feed.write(tone(12000)));
  auto options = raw_input(feed.fd());
  bool stop = false;
  options.on_started = [&](const RecordingId&) { stop = true; };
  options.should_stop = [&] { return stop; };
  const auto summary = must(capture::record(view, options));
  CHECK(summary.duration_s == doctest::Approx(1.5));
  CHECK(vault.audio_of(TrackName::mixed).size() == 12000);
}

TEST_CASE("what is durable is told, and never more than that") {
  const TestVault vault;
  const auto view = vault.view();
  Feed feed;
  feed.run([](const Feed& f) {
    for (int i = 0; i < 150 && f.write(tone(160)); ++i) std::this_thread::sleep_for(20ms);
  });
  auto options = raw_input(feed.fd());
  std::vector<std::chrono::milliseconds> told;
  options.on_safe = [&](std::chrono::milliseconds safe) { told.push_back(safe); };
  const auto summary = must(capture::record(view, options));
  REQUIRE(!told.empty());
  CHECK(std::is_sorted(told.begin(), told.end()));
  CHECK(told.back() > 1s);
  CHECK(told.back().count() <= summary.duration_s * 1000);
}

TEST_CASE("an asked end is heeded while the input is silent") {
  const TestVault vault;
  const auto view = vault.view();
  Feed feed;
  REQUIRE(feed.write(tone(800)));
  auto options = raw_input(feed.fd());
  const auto end = std::chrono::steady_clock::now() + 300ms;
  options.should_stop = [&] { return std::chrono::steady_clock::now() > end; };
  const auto summary = must(capture::record(view, options));
  CHECK(summary.duration_s == doctest::Approx(0.1));
}
