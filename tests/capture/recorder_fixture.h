// A vault as a recorder sees it, an input that is fed while it records, and the other side that may open everything.
#pragma once

#include <doctest/doctest.h>
#include <unistd.h>

#include <atomic>
#include <cmath>
#include <csignal>
#include <filesystem>
#include <map>
#include <thread>

#include "base/text.h"
#include "capture/control.h"
#include "capture/recorder.h"
#include "codec/opus_decoder.h"
#include "crypto/random.h"
#include "os/stream.h"
#include "sealed/reader.h"

namespace callvault::recorder_test {

using Samples = std::vector<std::int16_t>;

template <typename T>
T must(Result<T> result) {
  REQUIRE_MESSAGE(result.has_value(), (result ? std::string() : result.error().message));
  return std::move(result).value();
}
inline void must(Result<void> result) { REQUIRE_MESSAGE(result.has_value(), (result ? "" : result.error().message)); }

class FixedClock final : public Clock {
 public:
  explicit FixedClock(Time now) : now_(now) {}
  Time now() const override { return now_; }

 private:
  Time now_;
};

class TestVault {
 public:
  TestVault() {
    std::array<std::byte, 8> random{};
    crypto::fill_random(random);
    layout_.root = std::filesystem::temp_directory_path() / ("callvault-recorder-" + base::to_hex(random));
    for (const auto& folder : {layout_.root, layout_.keys(), layout_.intake(), layout_.incoming()})
      must(os::make_folder(folder));
    keys::Config config;
    config.organisation = "Test";
    config.time_zone = "Europe/Bucharest";
    config.country_code = "+40";
    config.classes = {{"default", must(Period::parse("6mo"))}, {"short", must(Period::parse("1d"))}};
    const std::string text = keys::write_config(config);
    must(os::write_new_file(layout_.config(), base::as_bytes(text)));
    const auto intake = must(keys::encode_intake({1, intake_.public_key, must(pepper_.clone())}));
    must(os::write_new_file(layout_.intake() / "1", intake));
    const std::string review = keys::encode_review_public({1, review_.public_key});
    must(os::write_new_file(layout_.review_public(), base::as_bytes(review)));
  }
  TestVault(const TestVault&) = delete;
  TestVault& operator=(const TestVault&) = delete;
  ~TestVault() {
    std::error_code ignored;
    std::filesystem::remove_all(layout_.root, ignored);
  }

  keys::RecorderView view() const { return must(keys::RecorderView::open(layout_.root)); }
  const base::Layout& layout() const { return layout_; }
  std::vector<std::string> incoming() const { return must(os::list_folder(layout_.incoming())); }

  struct Opened {
    sealed::Reader reader;
    sealed::Secrets secrets;
    sealed::CallMetadata metadata;
    crypto::Key key;
  };
  Opened open(const std::string& name) const {
    auto reader = must(sealed::Reader::open(layout_.incoming() / name));
    auto secrets = must(sealed::open_intake_box(reader.header(), intake_.secret, pepper_));
    auto metadata = must(sealed::open_metadata(reader.header(), secrets.recording));
    auto key = must(sealed::audio_key(reader.header(), review_.secret, secrets.track));
    return {std::move(reader), std::move(secrets), std::move(metadata), std::move(key)};
  }

  // The pages of one track over all its segments: what a reviewer would hear.
  base::Bytes pages_of(TrackName track) const {
    std::map<std::uint16_t, std::string> files;
    for (const auto& text : incoming()) {
      const auto name = sealed::parse_file_name(text);
      if (name && name->track == track && name->state != sealed::FileState::fresh) files[name->segment] = text;
    }
    base::Bytes out;
    for (const auto& [segment, name] : files) {
      auto file = open(name);
      CHECK(file.reader.header().segment == segment);
      REQUIRE(file.metadata.first_page * sealed::kChunkBytes <= out.size());  // no gap
      out.resize(file.metadata.first_page * sealed::kChunkBytes);
      if (file.reader.finished()) (void)must(file.reader.read_trailer(file.secrets.recording));
      const auto chunks = must(file.reader.authenticated_prefix(file.key));
      base::Bytes pages(chunks * sealed::kChunkBytes);
      must(file.reader.read_chunks(file.key, 0, chunks, pages));
      out.insert(out.end(), pages.begin(), pages.end());
    }
    return out;
  }
  Samples audio_of(TrackName track, std::uint32_t rate = 8000) const { return decode(pages_of(track), rate); }

  static Samples decode(base::Bytes bytes, std::uint32_t rate) {
    struct Memory final : codec::PageSource {
      base::Bytes pages;
      std::uint64_t page_count() const override { return pages.size() / codec::kPageBytes; }
      Result<void> read_page(std::uint64_t index, std::span<std::byte> out) override {
        std::copy_n(pages.begin() + static_cast<std::ptrdiff_t>(index * codec::kPageBytes), out.size(), out.begin());
        return {};
      }
    } memory;
    memory.pages = std::move(bytes);
    auto decoder = must(codec::TrackDecoder::open(memory, rate));
    Samples out, part(4000);
    for (;;) {
      const auto got = must(decoder.read(part));
      if (got == 0) return out;
      out.insert(out.end(), part.begin(), part.begin() + static_cast<std::ptrdiff_t>(got));
    }
  }

 private:
  base::Layout layout_;
  crypto::KeyPair intake_ = must(crypto::make_key_pair());
  crypto::Key pepper_ = must(crypto::Key::random());
  crypto::KeyPair review_ = must(crypto::make_key_pair());
};

// A pipe that a thread feeds.
class Feed {
 public:
  Feed() {
    std::signal(SIGPIPE, SIG_IGN);
    int ends[2] = {-1, -1};
    REQUIRE(::pipe(ends) == 0);
    read_end_ = ends[0];
    write_end_ = ends[1];
  }
  Feed(const Feed&) = delete;
  Feed& operator=(const Feed&) = delete;
  ~Feed() {
    close_read();  // whoever writes is told
    if (thread_.joinable()) thread_.join();
    close_write();
  }
  int fd() const { return read_end_; }
  // False when nobody reads any more.
  bool write(std::span<const std::int16_t> samples) const {
    auto bytes = std::as_bytes(samples);
    while (!bytes.empty()) {
      const auto n = ::write(write_end_, bytes.data(), bytes.size());
      if (n <= 0) return false;
      bytes = bytes.subspan(static_cast<std::size_t>(n));
    }
    return true;
  }
  void close_read() {
    if (read_end_ >= 0) ::close(std::exchange(read_end_, -1));
  }
  void close_write() {
    if (write_end_ >= 0) ::close(std::exchange(write_end_, -1));
  }
  // Runs `work` beside the recorder, then ends the input. What it refers to must outlive this.
  template <typename Work>
  void run(Work work) {
    thread_ = std::thread([this, work] {
      work(*this);
      close_write();
    });
  }

 private:
  int read_end_ = -1, write_end_ = -1;
  std::thread thread_;
};

inline Samples tone(std::size_t count, double hz = 440, int amplitude = 8000, std::uint32_t rate = 8000) {
  Samples out(count);
  for (std::size_t i = 0; i < count; ++i)
    out[i] = static_cast<std::int16_t>(amplitude * std::sin(6.283185307 * hz * static_cast<double>(i) / rate));
  return out;
}
inline double loudness(const Samples& samples) {
  double sum = 0;
  for (const auto s : samples) sum += static_cast<double>(s) * s;
  return samples.empty() ? 0 : std::sqrt(sum / static_cast<double>(samples.size()));
}

inline double loudness(const Samples& samples, std::size_t from, std::size_t to) {
  const auto begin = samples.begin();
  return loudness(Samples(begin + static_cast<std::ptrdiff_t>(from), begin + static_cast<std::ptrdiff_t>(to)));
}

// Once its recorder has taken all that was written.
inline RecordingId running_call(const TestVault& vault, const Feed& feed) {
  for (;;) {
    std::this_thread::sleep_for(std::chrono::milliseconds(30));
    if (os::bytes_arrived(feed.fd()) != 0) continue;
    for (const auto& text : vault.incoming())
      if (const auto name = sealed::parse_file_name(text); name && name->state == sealed::FileState::part)
        return name->id;
  }
}
inline void pause_call(const TestVault& vault, const RecordingId& id) {
  must(capture::ask_for_pause(vault.layout(), id));
  must(capture::await_pause(vault.layout(), id, std::chrono::seconds(5)));
}

inline IngestOptions raw_input(int fd) {
  IngestOptions options;
  options.input_fd = fd;
  options.audio = {.format = InputFormat::s16le, .rate_hz = 8000, .channels = std::nullopt};
  options.consent = Consent::granted;
  options.encoder.complexity = 0;
  return options;
}

}  // namespace callvault::recorder_test
