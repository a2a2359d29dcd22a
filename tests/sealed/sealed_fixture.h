// A place of its own for each test, and sealed files in it.
#pragma once

#include <doctest/doctest.h>

#include <filesystem>
#include <string>

#include "base/text.h"
#include "crypto/random.h"
#include "sealed/reader.h"
#include "sealed/writer.h"

namespace callvault::sealed_test {

using base::Bytes;
using base::ByteView;
using crypto::Key;

template <typename T>
T must(Result<T> result) {
  REQUIRE_MESSAGE(result.has_value(), (result ? std::string() : result.error().message));
  return std::move(result).value();
}
inline void must(Result<void> result) { REQUIRE_MESSAGE(result.has_value(), (result ? "" : result.error().message)); }
template <typename T>
Errc code_of(const Result<T>& result) {
  REQUIRE_FALSE(result.has_value());
  return result.error().code;
}

class Folder {
 public:
  Folder() {
    std::array<std::byte, 8> random{};
    crypto::fill_random(random);
    path_ = std::filesystem::temp_directory_path() / ("callvault-sealed-" + base::to_hex(random));
    must(os::make_folder(path_));
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  const os::Path& path() const { return path_; }

 private:
  os::Path path_;
};

struct Recipient {
  crypto::KeyPair intake = must(crypto::make_key_pair());
  Key pepper = must(Key::random());
  crypto::KeyPair review = must(crypto::make_key_pair());
  sealed::Recipients to() const { return {.intake = intake.public_key, .pepper = pepper, .review = review.public_key}; }
};

inline sealed::CallMetadata sample_metadata() {
  sealed::CallMetadata m;
  m.started_at = Time(std::chrono::milliseconds(1'763'900'000'123));
  m.direction = Direction::out;
  m.caller = "+40722000001";
  m.agent = "Ioana Șerban";
  m.call_id = "pbx-1/17";
  m.notice = "2026-03";
  m.notice_played = true;
  m.consent = Consent::granted;
  m.tracks = {TrackName::caller, TrackName::agent};
  m.sample_rate = 16'000;
  return m;
}

inline RecordingId random_id() {
  std::array<std::byte, RecordingId::kBytes> bytes{};
  crypto::fill_random(bytes);
  return RecordingId(bytes);
}

inline Bytes page_number(std::uint64_t n) {
  Bytes page(sealed::kChunkBytes);
  for (std::size_t i = 0; i < page.size(); ++i) page[i] = static_cast<std::byte>((n * 31 + i * 7) & 0xff);
  return page;
}
inline std::span<const std::byte, sealed::kChunkBytes> as_page(const Bytes& page) {
  return std::span<const std::byte, sealed::kChunkBytes>(page.data(), sealed::kChunkBytes);
}

// A track under its own secrets.
struct SealedTrack {
  RecordingId id = random_id();
  sealed::Secrets secrets{must(Key::random()), must(Key::random())};

  sealed::NewHeader header(const Recipient& people, TrackName track = TrackName::caller,
                           const sealed::CallMetadata& metadata = sample_metadata(), std::uint16_t segment = 0) const {
    return must(sealed::make_header({.id = id, .track = track, .segment = segment, .intake_key = 3, .review_key = 1},
                                    people.to(), metadata, secrets));
  }
  // With `chunks` pages; with a trailer when `finished`.
  os::Path write(const os::Path& folder, const Recipient& people, std::uint64_t chunks, bool finished = true) const {
    auto writer = must(sealed::Writer::create(folder, header(people)));
    for (std::uint64_t n = 0; n < chunks; ++n)
      must(writer.append_chunk(as_page(page_number(n)), finished && n + 1 == chunks));
    if (!finished) {
      must(writer.sync());
      return writer.path();
    }
    sealed::Trailer trailer;
    trailer.ended_at = sample_metadata().started_at + std::chrono::milliseconds(chunks * 500);
    trailer.duration = std::chrono::milliseconds(chunks * 500);
    trailer.audio_hash[0] = std::byte{9};
    must(writer.finish(secrets.recording, trailer));
    return writer.path();
  }
};

inline Bytes content(const os::Path& path) { return must(os::read_file(path, 64 << 20)); }
inline os::Path put(const os::Path& folder, const Bytes& bytes) {
  std::array<std::byte, 8> random{};
  crypto::fill_random(random);
  const os::Path path = folder / base::to_hex(random);
  must(os::write_new_file(path, bytes));
  return path;
}

}  // namespace callvault::sealed_test
