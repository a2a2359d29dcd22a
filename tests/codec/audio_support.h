// Speech, broken WAV headers, pipes and comparisons for the codec's tests.
#pragma once

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sndfile.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <random>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/bytes.h"
#include "base/text.h"
#include "codec/opus_decoder.h"
#include "codec/opus_encoder.h"
#include "codec/pcm_source.h"

namespace callvault::codec_test {

using Samples = std::vector<std::int16_t>;
using base::Bytes;

// Real speech at 8 kHz, at least `seconds` of it (the whole set is about 20 minutes; it is repeated).
inline Samples speech(double seconds) {
  namespace fs = std::filesystem;
  const fs::path folder = "/usr/share/asterisk/sounds/en_US_f_Allison";
  std::vector<fs::path> files;
  if (fs::exists(folder)) {
    for (const auto& each : fs::directory_iterator(folder))
      if (each.path().extension() == ".wav") files.push_back(each.path());
  }
  std::sort(files.begin(), files.end());
  REQUIRE_MESSAGE(!files.empty(), "install the package asterisk-core-sounds-en-wav");
  Samples out;
  const auto wanted = static_cast<std::size_t>(seconds * 8000);
  for (std::size_t i = 0; out.size() < wanted; i = (i + 1) % files.size()) {
    SF_INFO info{};
    SNDFILE* const file = sf_open(files[i].c_str(), SFM_READ, &info);
    REQUIRE(file != nullptr);
    REQUIRE(info.samplerate == 8000);
    REQUIRE(info.channels == 1);
    Samples part(static_cast<std::size_t>(info.frames));
    sf_read_short(file, part.data(), info.frames);
    sf_close(file);
    out.insert(out.end(), part.begin(), part.end());
  }
  out.resize(wanted);
  return out;
}

// The same speech at `factor` times the rate, by straight lines: good enough to listen to, and full of content.
inline Samples stretched(const Samples& in, std::size_t factor) {
  Samples out;
  for (std::size_t i = 0; i + 1 < in.size(); ++i) {
    for (std::size_t k = 0; k < factor; ++k) {
      const auto part = static_cast<int>(k), whole = static_cast<int>(factor);
      out.push_back(static_cast<std::int16_t>(in[i] + (in[i + 1] - in[i]) * part / whole));
    }
  }
  return out;
}

inline void put(Bytes& out, std::string_view text) {
  const auto bytes = base::as_bytes(text);
  out.insert(out.end(), bytes.begin(), bytes.end());
}
template <typename T>
void put_number(Bytes& out, T value) {
  const auto bytes = std::as_bytes(std::span(&value, 1));
  out.insert(out.end(), bytes.begin(), bytes.end());
}
inline Bytes chunk(std::string_view id, std::string_view content) {
  Bytes out;
  put(out, id);
  put_number(out, static_cast<std::uint32_t>(content.size()));
  put(out, content);
  if (content.size() % 2 != 0) out.push_back(std::byte{0});
  return out;
}
inline void append(Bytes& out, const Bytes& more) { out.insert(out.end(), more.begin(), more.end()); }
template <typename T>
Bytes bytes_of(const std::vector<T>& values) {
  return base::to_bytes(std::as_bytes(std::span(values)));
}

// A WAV as its recorder left it. Sizes that are not given are right.
struct WavRecipe {
  std::uint16_t tag = 1;
  std::uint16_t channels = 1;
  std::uint32_t rate = 8000;
  std::uint16_t bits = 16;
  bool extensible = false;
  std::optional<std::uint32_t> riff_size = {}, data_size = {};
  Bytes before = {};  // chunks between the format and the samples
  Bytes after = {};   // what follows the samples
  std::string_view form = "RIFF";
};

inline Bytes make_wav(const WavRecipe& recipe, const Bytes& samples) {
  const auto block = static_cast<std::uint16_t>(recipe.channels * recipe.bits / 8);
  Bytes format;
  put_number<std::uint16_t>(format, recipe.extensible ? 0xfffe : recipe.tag);
  put_number(format, recipe.channels);
  put_number(format, recipe.rate);
  put_number<std::uint32_t>(format, recipe.rate * block);
  put_number(format, block);
  put_number(format, recipe.bits);
  if (recipe.extensible) {
    put_number<std::uint16_t>(format, 22);
    put_number(format, recipe.bits);
    put_number<std::uint32_t>(format, 0);
    put_number(format, recipe.tag);
    put(format, std::string_view("\0\0\0\0\x10\0\x80\0\0\xaa\0\x38\x9b\x71", 14));
  }
  Bytes body;
  put(body, "WAVE");
  append(body, chunk("fmt ", base::as_text(format)));
  append(body, recipe.before);
  put(body, "data");
  put_number(body, recipe.data_size.value_or(static_cast<std::uint32_t>(samples.size())));
  append(body, samples);
  append(body, recipe.after);
  Bytes out;
  put(out, recipe.form);
  put_number(out, recipe.riff_size.value_or(static_cast<std::uint32_t>(body.size())));
  append(out, body);
  return out;
}

class TempFolder {
 public:
  TempFolder() {
    path_ = std::filesystem::temp_directory_path() / ("callvault-codec-" + std::to_string(std::random_device{}()));
    std::filesystem::create_directory(path_);
  }
  ~TempFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path write(const std::string& name, base::ByteView data) const {
    std::ofstream out(path_ / name, std::ios::binary);
    out.write(reinterpret_cast<const char*>(data.data()), static_cast<std::streamsize>(data.size()));
    return path_ / name;
  }

 private:
  std::filesystem::path path_;
};

// The reading end of a pipe that another thread fills, `step` bytes at a time.
class Feed {
 public:
  explicit Feed(Bytes data, std::size_t step = 1 << 16) {
    int ends[2];
    REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
    fd_ = ends[0];
    writer_ = std::thread([data = std::move(data), step, fd = ends[1]] {
      for (std::size_t at = 0; at < data.size();) {
        const auto n = ::write(fd, data.data() + at, std::min(step, data.size() - at));
        if (n <= 0) break;
        at += static_cast<std::size_t>(n);
      }
      ::close(fd);
    });
  }
  ~Feed() {
    char dropped[4096];
    while (::read(fd_, dropped, sizeof dropped) > 0) {
    }
    writer_.join();
    ::close(fd_);
  }
  Feed(const Feed&) = delete;
  Feed& operator=(const Feed&) = delete;
  int fd() const { return fd_; }

 private:
  int fd_ = -1;
  std::thread writer_;
};

struct Heard {
  Samples samples;
  std::uint32_t rate = 0;
  unsigned channels = 0;
  bool truncated = false;
};

inline Result<Heard> hear(codec::SourceOptions options, std::size_t ask = 4096) {
  CALLVAULT_TRY_ASSIGN(const auto source, codec::open_source(std::move(options)));
  Heard out{.samples = {}, .rate = source->rate_hz(), .channels = source->channels()};
  Samples block(ask * out.channels);
  for (;;) {
    CALLVAULT_TRY_ASSIGN(const std::size_t got, source->read(block));
    if (got == 0) break;
    out.samples.insert(out.samples.end(), block.begin(),
                       block.begin() + static_cast<std::ptrdiff_t>(got * out.channels));
  }
  CHECK(*source->read(block) == 0);
  out.truncated = source->truncated();
  return out;
}

inline Result<Heard> hear_pipe(const Bytes& data, AudioFormat audio = {}, std::size_t step = 1 << 16) {
  Feed feed(data, step);
  return hear({.audio = audio, .fd = feed.fd(), .file = std::nullopt, .should_stop = nullptr});
}

inline Result<Heard> hear_file(const Bytes& data, AudioFormat audio = {}) {
  const TempFolder folder;
  return hear({.audio = audio, .fd = -1, .file = folder.write("call", data), .should_stop = nullptr});
}

using Page = std::array<std::byte, codec::kPageBytes>;

class MemoryPages final : public codec::PageSource {
 public:
  std::uint64_t page_count() const override { return pages.size(); }
  Result<void> read_page(std::uint64_t index, std::span<std::byte> out) override {
    std::copy(pages.at(index).begin(), pages.at(index).end(), out.begin());
    return {};
  }
  Bytes file() const {
    Bytes out;
    for (const Page& page : pages) out.insert(out.end(), page.begin(), page.end());
    return out;
  }
  std::vector<Page> pages;
  bool ended = false;
};

// Appends pages, checking what holds of every page.
inline codec::EmitPage into(MemoryPages& out) {
  return [&out](std::span<const std::byte> bytes, bool last) -> Result<void> {
    REQUIRE(bytes.size() == codec::kPageBytes);
    REQUIRE_FALSE(out.ended);
    out.pages.emplace_back();
    std::copy(bytes.begin(), bytes.end(), out.pages.back().begin());
    out.ended = last;
    return {};
  };
}

inline MemoryPages encode(const Samples& samples, std::uint32_t rate, EncoderOptions options = {},
                          std::size_t step = 777) {
  auto encoder = codec::TrackEncoder::make(rate, options);
  REQUIRE(encoder);
  MemoryPages out;
  for (std::size_t at = 0; at < samples.size(); at += step) {
    const auto part = std::span(samples).subspan(at, std::min(step, samples.size() - at));
    REQUIRE(encoder->add(part, into(out)));
  }
  REQUIRE(encoder->finish(into(out)));
  CHECK(encoder->samples_in() == samples.size());
  CHECK(encoder->samples_emitted() == samples.size());
  CHECK(out.ended);
  return out;
}

inline Samples read_some(codec::TrackDecoder& decoder, std::size_t most) {
  Samples out(most);
  std::size_t done = 0;
  while (done < most) {
    const auto got = decoder.read(std::span(out).subspan(done, std::min<std::size_t>(most - done, 333)));
    REQUIRE(got);
    if (*got == 0) break;
    done += *got;
  }
  out.resize(done);
  return out;
}

// 1 = the same up to a factor.
inline double correlation(std::span<const std::int16_t> a, std::span<const std::int16_t> b) {
  double ab = 0, aa = 1, bb = 1;
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
    ab += double{1} * a[i] * b[i];
    aa += double{1} * a[i] * a[i];
    bb += double{1} * b[i] * b[i];
  }
  return ab / std::sqrt(aa * bb);
}

inline double snr_db(std::span<const std::int16_t> truth, std::span<const std::int16_t> heard) {
  double signal = 1, noise = 1;
  for (std::size_t i = 0; i < std::min(truth.size(), heard.size()); ++i) {
    const double d = double{1} * truth[i] - heard[i];
    signal += double{1} * truth[i] * truth[i];
    noise += d * d;
  }
  return 10 * std::log10(signal / noise);
}

}  // namespace callvault::codec_test
