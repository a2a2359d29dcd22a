#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "sealed_fixture.h"

using namespace callvault;
using namespace callvault::sealed_test;
using sealed::kChunkBytes;
using sealed::kSealedChunkBytes;

TEST_CASE("a recording in progress is named so, locked and already readable") {
  const Folder folder;
  const Recipient people;
  const SealedTrack track;
  os::Path part;
  {
    auto writer = must(sealed::Writer::create(folder.path(), track.header(people), 0640));
    part = writer.path();
    CHECK(part.filename() == track.id.text() + ".caller.part");
    CHECK(must(os::list_folder(folder.path())).size() == 1);
    struct stat st {};
    REQUIRE(::stat(part.c_str(), &st) == 0);
    CHECK((st.st_mode & 0777) == 0640);
    auto other = must(os::File::open_write(part));
    CHECK_FALSE(must(other.try_lock_exclusive()));
    must(writer.append_chunk(as_page(page_number(0)), false));
    CHECK(writer.safe_chunks() == 0);
    must(writer.sync());
    CHECK(writer.safe_chunks() == 1);
    auto reader = must(sealed::Reader::open(part));
    CHECK_FALSE(reader.finished());
    const auto key = must(sealed::audio_key(reader.header(), people.review.secret, track.secrets.track));
    CHECK(must(reader.authenticated_prefix(key)) == 1);
  }
  auto other = must(os::File::open_write(part));
  CHECK(must(other.try_lock_exclusive()));
}

TEST_CASE("nothing is appended after the last chunk, and an empty call leaves nothing") {
  const Folder folder;
  const Recipient people;
  const SealedTrack track;
  {
    auto writer = must(sealed::Writer::create(folder.path(), track.header(people)));
    must(writer.append_chunk(as_page(page_number(0)), true));
    CHECK_FALSE(writer.append_chunk(as_page(page_number(1)), false));
    must(writer.discard());
  }
  CHECK(must(os::list_folder(folder.path())).empty());
  CHECK_FALSE(sealed::Writer::create(folder.path() / "missing", track.header(people)));
  CHECK(must(os::list_folder(folder.path())).empty());
}

TEST_CASE("after a failed write the file is never written or synced again") {
  const Folder folder;
  const Recipient people;
  const SealedTrack track;
  struct rlimit before {};
  REQUIRE(::getrlimit(RLIMIT_FSIZE, &before) == 0);
  auto* const handler = std::signal(SIGXFSZ, SIG_IGN);
  auto writer = must(sealed::Writer::create(folder.path(), track.header(people)));
  for (std::uint64_t n = 0; n < 3; ++n) must(writer.append_chunk(as_page(page_number(n)), false));
  must(writer.sync());
  must(writer.append_chunk(as_page(page_number(3)), false));
  struct rlimit small = before;
  small.rlim_cur = writer.file_bytes() + 100;  // the next chunk is torn
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &small) == 0);
  const auto failed = writer.append_chunk(as_page(page_number(4)), false);
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &before) == 0);
  std::signal(SIGXFSZ, handler);
  CHECK_FALSE(failed);
  CHECK(writer.failed());
  CHECK_FALSE(writer.append_chunk(as_page(page_number(4)), false));
  CHECK_FALSE(writer.sync());
  CHECK_FALSE(writer.finish(track.secrets.recording, {}));
  {
    const auto lock = writer.abandon();
    CHECK(lock.is_open());
  }
  // Only what was durable is left.
  auto reader = must(sealed::Reader::open(writer.path()));
  CHECK(reader.chunk_count() == 3);
  CHECK(reader.torn_bytes() == 0);
}

TEST_CASE("a new file whose header cannot be made durable under its name is taken back") {
  const Folder folder;
  const Recipient people;
  const SealedTrack track;
  auto header = track.header(people);
  struct rlimit before {};
  REQUIRE(::getrlimit(RLIMIT_FSIZE, &before) == 0);
  auto* const handler = std::signal(SIGXFSZ, SIG_IGN);
  struct rlimit small = before;
  small.rlim_cur = 100;  // of a header that is longer
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &small) == 0);
  const auto unwritten = sealed::Writer::create(folder.path(), track.header(people));
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &before) == 0);
  std::signal(SIGXFSZ, handler);
  CHECK_FALSE(unwritten);
  CHECK(must(os::list_folder(folder.path())).empty());

  const sealed::FileName part{track.id, TrackName::caller, 0, sealed::FileState::part};
  must(os::make_folder(folder.path() / sealed::to_text(part)));  // its name is taken
  CHECK_FALSE(sealed::Writer::create(folder.path(), std::move(header)));
  CHECK_FALSE(os::exists(folder.path() / sealed::to_text({track.id, TrackName::caller, 0, sealed::FileState::fresh})));
}

TEST_CASE("who abandons a finished track holds no file, and leaves it whole") {
  const Folder folder;
  const Recipient people;
  const SealedTrack track;
  auto writer = must(sealed::Writer::create(folder.path(), track.header(people)));
  must(writer.append_chunk(as_page(page_number(0)), true));
  must(writer.finish(track.secrets.recording, {}));
  CHECK_FALSE(writer.abandon().is_open());
  auto reader = must(sealed::Reader::open(writer.path()));
  CHECK(reader.finished());
  CHECK(reader.chunk_count() == 1);
}

TEST_CASE("a dead recorder's file is made whole, once") {
  const Folder folder;
  const Recipient people;
  const SealedTrack track;
  const auto whole = content(track.write(folder.path(), people, 9, /*finished=*/false));
  const auto header = must(sealed::parse_header(whole));
  const auto key = must(sealed::audio_key(header, people.review.secret, track.secrets.track));
  const auto zeros = [&](std::size_t count) {
    Bytes out = whole;
    out.resize(whole.size() + count);
    return out;
  };
  auto torn_trailer = whole;
  const auto trailer = must(sealed::seal_trailer(header, track.secrets.recording, {}));
  torn_trailer.insert(torn_trailer.end(), trailer.begin(), trailer.end() - 1);
  // Power that goes before the last sync may leave the trailer, and not what stands before it.
  auto unsynced_chunk = content(track.write(folder.path(), people, 9, /*finished=*/true));
  std::fill_n(unsynced_chunk.begin() + static_cast<std::ptrdiff_t>(header.raw.size() + 5 * kSealedChunkBytes),
              kSealedChunkBytes / 2, std::byte{0});
  auto half_trailer = whole;
  half_trailer.insert(half_trailer.end(), trailer.begin(), trailer.end());
  std::fill_n(half_trailer.end() - 100, 100, std::byte{0});
  const std::pair<Bytes, std::uint64_t> cases[] = {
      {whole, 9},
      {half_trailer, 9},
      {Bytes(whole.begin(), whole.end() - 1), 8},
      {Bytes(whole.begin(), whole.end() - kSealedChunkBytes + 300), 8},
      {zeros(17), 9},
      {zeros(kSealedChunkBytes * 3 + 5), 9},
      {torn_trailer, 9},
      {header.raw, 0},
  };
  for (const auto& [bytes, chunks] : cases) {
    const auto path = put(folder.path(), bytes);
    CHECK(code_of(sealed::recover_trailer(path, track.secrets.track)) == Errc::corrupt);
    CHECK(content(path) == bytes);
    const auto made = must(sealed::recover_trailer(path, track.secrets.recording));
    CHECK(made.interrupted);
    CHECK(made.chunks == chunks);
    CHECK(made.duration <= std::chrono::seconds(chunks));
    CHECK(made.ended_at >= sample_metadata().started_at);
    const auto after = content(path);
    CHECK(must(sealed::recover_trailer(path, track.secrets.recording)) == made);
    CHECK(content(path) == after);
    auto reader = must(sealed::Reader::open(path));
    CHECK(reader.finished());
    CHECK(must(reader.read_trailer(track.secrets.recording)) == made);
    CHECK(must(reader.hash_chunks()) == made.chunk_hash);
    CHECK(must(reader.authenticated_prefix(key)) == chunks);
  }
  const auto path = put(folder.path(), unsynced_chunk);
  const auto made = must(sealed::recover_trailer(path, track.secrets.recording));
  CHECK(made.interrupted);
  auto reader = must(sealed::Reader::open(path));
  CHECK(must(reader.read_trailer(track.secrets.recording)) == made);
  CHECK(must(reader.hash_chunks()) == made.chunk_hash);
  const auto its_key =
      must(sealed::audio_key(must(sealed::parse_header(unsynced_chunk)), people.review.secret, track.secrets.track));
  CHECK(must(reader.authenticated_prefix(its_key)) == 5);
}

TEST_CASE("killed at any moment, a writer leaves a file that is no file, or a correct prefix") {
  const Folder folder;
  const Recipient people;
  std::size_t seen = 0;
  for (int round = 0; round < 15; ++round) {
    const SealedTrack track;
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
      // Locked pages are wiped in a child, so it makes secrets of its own; only the prefix' shape is checked here.
      const Recipient own;
      const SealedTrack endless;
      auto writer = sealed::Writer::create(folder.path(), endless.header(own));
      for (std::uint64_t n = 0; writer; ++n) {
        if (!writer->append_chunk(as_page(page_number(n)), false) || !writer->sync()) break;
      }
      ::_exit(1);
    }
    ::usleep(static_cast<useconds_t>(3000 * (round + 1)));
    ::kill(child, SIGKILL);
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    CHECK(WIFSIGNALED(status));
  }
  for (const auto& text : must(os::list_folder(folder.path()))) {
    const auto name = sealed::parse_file_name(text);
    REQUIRE(name);
    if (name->state == sealed::FileState::fresh) continue;
    CHECK(name->state == sealed::FileState::part);
    CHECK(sealed::Reader::open(folder.path() / text));
    ++seen;
  }
  CHECK(seen > 0);
}
