// Files that somebody makes shorter or damages while a reader has them open.
#include <sys/resource.h>

#include <fstream>

#include "sealed_fixture.h"

using namespace callvault;
using namespace callvault::sealed_test;

namespace {

Key audio_key_of(const sealed::Reader& reader, const Recipient& people, const SealedTrack& track) {
  return must(sealed::audio_key(reader.header(), people.review.secret, track.secrets.track));
}

void shorten(const os::Path& path, std::uint64_t by) {
  std::filesystem::resize_file(path, std::filesystem::file_size(path) - by);
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
std::uint64_t mapped_bytes() {
  std::ifstream in("/proc/self/statm");
  std::uint64_t pages = 0;
  in >> pages;
  return pages * 4096;
}
#endif

}  // namespace

TEST_CASE("a file that gets shorter while it is read is damaged, or cannot be read, and gives no sound") {
  const Folder folder;
  const Recipient people;
  for (const std::uint64_t chunks : {3U, 100U}) {  // read, and mapped
    const SealedTrack track;
    const auto path = track.write(folder.path(), people, chunks);
    auto reader = must(sealed::Reader::open(path));
    const Key key = audio_key_of(reader, people, track);
    Bytes out(chunks * sealed::kChunkBytes);
    must(reader.read_chunks(key, 0, chunks, out));
    shorten(path, 1);
    CHECK(code_of(reader.read_trailer(track.secrets.recording)) == Errc::corrupt);
    shorten(path, chunks * sealed::kSealedChunkBytes);
    std::fill(out.begin(), out.end(), std::byte{0});
    CHECK(code_of(reader.read_chunks(key, 0, chunks, out)) == (chunks < 64 ? Errc::corrupt : Errc::io));
    CHECK(code_of(reader.hash_chunks()) == Errc::corrupt);
    CHECK(std::all_of(out.begin(), out.end(), [](std::byte b) { return b == std::byte{0}; }));
  }
}

TEST_CASE("chunks that are not there, or do not fit where they go, are not read") {
  const Folder folder;
  const Recipient people;
  const SealedTrack track;
  auto reader = must(sealed::Reader::open(track.write(folder.path(), people, 3)));
  const Key key = audio_key_of(reader, people, track);
  Bytes out(3 * sealed::kChunkBytes);
  CHECK(code_of(reader.read_chunks(key, 4, 0, {})) == Errc::unexpected);
  CHECK(code_of(reader.read_chunks(key, 1, 3, out)) == Errc::unexpected);
  CHECK(code_of(reader.read_chunks(key, 1, 2, out)) == Errc::unexpected);
  CHECK(std::all_of(out.begin(), out.end(), [](std::byte b) { return b == std::byte{0}; }));
  must(reader.read_chunks(key, 3, 0, {}));
}

TEST_CASE("what authenticates ends at the damaged chunk, also when more than one batch follows it") {
  const Folder folder;
  const Recipient people;
  const SealedTrack track;
  const auto path = track.write(folder.path(), people, 600);
  auto bytes = content(path);
  const auto header_bytes = must(sealed::parse_header(bytes)).header_bytes();
  for (const std::uint64_t broken : {599U, 300U, 7U, 0U}) {
    bytes[header_bytes + broken * sealed::kSealedChunkBytes + 11] ^= std::byte{1};
    auto reader = must(sealed::Reader::open(put(folder.path(), bytes)));
    CHECK(must(reader.authenticated_prefix(audio_key_of(reader, people, track))) == broken);
  }
}

// Sanitizers need address space of their own.
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
TEST_CASE("a file that cannot be mapped for want of room is read") {
  const Folder folder;
  const Recipient people;
  const SealedTrack track;
  constexpr std::uint64_t kChunks = 4000;
  auto reader = must(sealed::Reader::open(track.write(folder.path(), people, kChunks)));
  const Key key = audio_key_of(reader, people, track);
  Bytes mapped(kChunks * sealed::kChunkBytes), read(mapped.size());
  must(reader.read_chunks(key, 0, kChunks, mapped));
  struct rlimit before {};
  REQUIRE(::getrlimit(RLIMIT_AS, &before) == 0);
  struct rlimit small = before;
  small.rlim_cur = mapped_bytes() + (1 << 20);  // half of one window
  REQUIRE(::setrlimit(RLIMIT_AS, &small) == 0);
  const auto done = reader.read_chunks(key, 0, kChunks, read);
  REQUIRE(::setrlimit(RLIMIT_AS, &before) == 0);
  must(done);
  CHECK(read == mapped);
}
#endif
