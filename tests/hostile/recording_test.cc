// Every bit of a recording of 16 KiB turned, and every place at which it can be cut: what is read of it afterwards is a
// beginning of what was written, and what is missing is known. (tests/system/every_bit_test.cc does the same through
// a whole vault, with a smaller one.)
#include <doctest/doctest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <numeric>

#include "crypto/aead.h"
#include "crypto/random.h"
#include "sealed/reader.h"

using namespace callvault;
using base::Bytes;

namespace {

constexpr std::size_t kChunks = 14;

template <typename T>
T must(Result<T> result) {
  REQUIRE_MESSAGE(result.has_value(), (result ? std::string() : result.error().message));
  return std::move(result).value();
}

struct Recording {
  crypto::KeyPair intake = must(crypto::make_key_pair()), review = must(crypto::make_key_pair());
  crypto::Key pepper = must(crypto::Key::random()), recording = must(crypto::Key::random()),
              track = must(crypto::Key::random());
  std::optional<crypto::Key> audio;
  std::size_t header_bytes = 0;
  Bytes plain, file;
  int fd = ::memfd_create("recording", MFD_CLOEXEC);

  Recording() {
    sealed::CallMetadata call;
    call.caller = "+40722000001";
    call.tracks = {TrackName::caller};
    auto header =
        must(sealed::make_header({{}, TrackName::caller, 0, 1, 1}, {intake.public_key, pepper, review.public_key}, call,
                                 {must(recording.clone()), must(track.clone())}));
    header_bytes = header.header.raw.size();
    plain.resize(kChunks * sealed::kChunkBytes);
    crypto::fill_random(plain);
    Bytes chunks(kChunks * sealed::kSealedChunkBytes);
    for (std::size_t n = 0; n < kChunks; ++n)
      crypto::seal_chunk(header.audio_key, n, n + 1 == kChunks,
                         base::ByteView(plain).subspan(n * sealed::kChunkBytes, sealed::kChunkBytes),
                         base::MutableBytes(chunks).subspan(n * sealed::kSealedChunkBytes, sealed::kSealedChunkBytes));
    sealed::Trailer trailer;
    trailer.chunks = kChunks;
    trailer.chunk_hash = crypto::blake2b(chunks);
    const auto end = must(sealed::seal_trailer(header.header, recording, trailer));
    file = header.header.raw;
    file.insert(file.end(), chunks.begin(), chunks.end());
    file.insert(file.end(), end.begin(), end.end());
    audio.emplace(std::move(header.audio_key));
    write(file);
  }
  ~Recording() { ::close(fd); }
  Recording(const Recording&) = delete;
  Recording& operator=(const Recording&) = delete;

  void write(const Bytes& bytes) const {
    if (::ftruncate(fd, 0) != 0 || ::pwrite(fd, bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size()))
      std::abort();
  }
  void put(std::size_t at, std::byte value) const {
    if (::pwrite(fd, &value, 1, static_cast<off_t>(at)) != 1) std::abort();
  }
  Result<sealed::Reader> open() const {
    CALLVAULT_TRY_ASSIGN(os::File again, os::File::open_read("/proc/self/fd/" + std::to_string(fd)));
    return sealed::Reader::from(std::move(again));
  }
};

struct Heard {
  bool refused = false, whole = false;
  std::uint64_t chunks = 0;
};

// As a review opens it. Whatever is heard must be right.
Heard hear(const Recording& r, bool header_touched) {
  auto reader = r.open();
  if (!reader) return {.refused = true};
  const crypto::Key* key = &*r.audio;
  std::optional<crypto::Key> opened;
  if (header_touched) {
    const auto secrets = sealed::open_intake_box(reader->header(), r.intake.secret, r.pepper);
    if (!secrets || !sealed::open_metadata(reader->header(), secrets->recording)) return {.refused = true};
    auto from_header = sealed::audio_key(reader->header(), r.review.secret, secrets->track);
    if (!from_header) return {.refused = true};
    opened.emplace(std::move(*from_header));
    key = &*opened;
  }
  const auto trailer = reader->read_trailer(r.recording);
  Heard out;
  Bytes page(sealed::kChunkBytes);
  while (out.chunks < reader->chunk_count() && reader->read_chunks(*key, out.chunks, 1, page)) {
    if (!std::equal(page.begin(), page.end(), r.plain.begin() + static_cast<std::ptrdiff_t>(out.chunks * page.size())))
      std::abort();  // other sound
    ++out.chunks;
  }
  out.whole = trailer && out.chunks == kChunks && trailer->chunks == kChunks;
  return out;
}

}  // namespace

TEST_CASE("every bit of 16 KiB turned is seen, and what stands before it is heard") {
  REQUIRE(crypto::ready());
  const Recording r;
  REQUIRE(r.file.size() >= 15 * 1024);
  REQUIRE(hear(r, true).whole);
  const std::size_t chunks_end = r.header_bytes + kChunks * sealed::kSealedChunkBytes;
  std::size_t refused = 0, cut_short = 0;
  for (std::size_t at = 0; at < r.file.size(); ++at) {
    const bool in_header = at < r.header_bytes, in_chunks = !in_header && at < chunks_end;
    for (unsigned bit = 0; bit < 8; ++bit) {
      r.put(at, r.file[at] ^ static_cast<std::byte>(1U << bit));
      const Heard heard = hear(r, in_header);
      const bool right = in_header   ? heard.refused
                         : in_chunks ? heard.chunks == (at - r.header_bytes) / sealed::kSealedChunkBytes && !heard.whole
                                     : !heard.whole && heard.chunks + 1 >= kChunks;
      if (!right) FAIL_CHECK("bit " << bit << " of byte " << at << " goes unseen: " << heard.chunks << " chunks");
      (heard.refused ? refused : cut_short) += 1;
    }
    r.put(at, r.file[at]);
  }
  CHECK(hear(r, true).whole);
  std::printf("%zu bits turned: refused %zu, a named beginning %zu\n", r.file.size() * 8, refused, cut_short);
}

TEST_CASE("every cut of 16 KiB is seen, and what stands before it is heard") {
  REQUIRE(crypto::ready());
  const Recording r;
  for (std::size_t length = 0; length < r.file.size(); ++length) {
    r.write({r.file.begin(), r.file.begin() + static_cast<std::ptrdiff_t>(length)});
    const Heard heard = hear(r, length < r.header_bytes);
    const std::size_t whole =
        length < r.header_bytes ? 0 : std::min((length - r.header_bytes) / sealed::kSealedChunkBytes, kChunks);
    const bool right = length < r.header_bytes ? heard.refused : !heard.whole && heard.chunks == whole;
    if (!right) FAIL_CHECK("cut to " << length << ": " << heard.chunks << " chunks, whole " << heard.whole);
  }
  for (const std::size_t more : {1U, 255U, 256U, 1040U, 4096U}) {
    Bytes longer = r.file;
    longer.resize(longer.size() + more);
    r.write(longer);
    CHECK_FALSE(hear(r, false).whole);
  }
  std::printf("%zu cuts\n", r.file.size());
}
