#include "sealed_fixture.h"

using namespace callvault;
using namespace callvault::sealed_test;
using sealed::kChunkBytes;
using sealed::kSealedChunkBytes;

TEST_CASE("what was written is read back, in any order") {
  const Folder folder;
  const Recipient people;
  const SealedTrack track;
  const auto path = track.write(folder.path(), people, 700);
  auto reader = must(sealed::Reader::open(path));
  CHECK(reader.finished());
  CHECK(reader.chunk_count() == 700);
  CHECK(reader.torn_bytes() == 0);
  CHECK(reader.header().id == track.id);
  CHECK(reader.header().track == TrackName::caller);
  CHECK(reader.header().intake_key == 3);

  const auto secrets = must(sealed::open_intake_box(reader.header(), people.intake.secret, people.pepper));
  CHECK(crypto::equal(secrets.recording.reveal(), track.secrets.recording.reveal()));
  CHECK(crypto::equal(secrets.track.reveal(), track.secrets.track.reveal()));
  CHECK(must(sealed::open_metadata(reader.header(), secrets.recording)) == sample_metadata());

  const auto key = must(sealed::audio_key(reader.header(), people.review.secret, secrets.track));
  Bytes all(700 * kChunkBytes);
  must(reader.read_chunks(key, 0, 700, all));
  for (std::uint64_t n = 0; n < 700; ++n) {
    const auto page = page_number(n);
    REQUIRE(std::equal(page.begin(), page.end(), all.begin() + static_cast<std::ptrdiff_t>(n * kChunkBytes)));
  }
  Bytes one(kChunkBytes);
  must(reader.read_chunks(key, 512, 1, one));
  CHECK(one == page_number(512));
  CHECK_FALSE(reader.read_chunks(key, 700, 1, one));
  CHECK_FALSE(reader.read_chunks(key, UINT64_MAX, 2, all));

  const auto trailer = must(reader.read_trailer(secrets.recording));
  CHECK(trailer.chunks == 700);
  CHECK(trailer.duration == std::chrono::seconds(350));
  CHECK(trailer.audio_hash[0] == std::byte{9});
  CHECK_FALSE(trailer.interrupted);
  CHECK(trailer.chunk_hash == must(reader.hash_chunks()));
  CHECK(must(reader.authenticated_prefix(key)) == 700);

  const auto said = must(sealed::inspect(path));
  CHECK(said.id == track.id);
  CHECK(said.chunks == 700);
  CHECK(said.finished);
  CHECK(said.file_bytes == content(path).size());
}

TEST_CASE("another key, half or recording opens nothing") {
  const Folder folder;
  const Recipient people, others;
  const SealedTrack track;
  const auto path = track.write(folder.path(), people, 3);
  auto reader = must(sealed::Reader::open(path));
  const auto& header = reader.header();
  CHECK(code_of(sealed::open_intake_box(header, others.intake.secret, people.pepper)) == Errc::corrupt);
  CHECK(code_of(sealed::open_intake_box(header, people.intake.secret, others.pepper)) == Errc::corrupt);
  CHECK(code_of(sealed::audio_key(header, others.review.secret, track.secrets.track)) == Errc::corrupt);
  CHECK(code_of(sealed::audio_key(header, people.review.secret, track.secrets.recording)) == Errc::corrupt);
  CHECK(code_of(sealed::open_metadata(header, track.secrets.track)) == Errc::corrupt);
  CHECK(code_of(reader.read_trailer(track.secrets.track)) == Errc::corrupt);
  Bytes out(3 * kChunkBytes, std::byte{1});
  CHECK(code_of(reader.read_chunks(track.secrets.track, 0, 3, out)) == Errc::corrupt);
  CHECK(must(reader.authenticated_prefix(track.secrets.track)) == 0);

  // Both tracks of a call share s_0: their trailers are still not interchangeable.
  auto writer = must(sealed::Writer::create(folder.path(), track.header(people, TrackName::agent)));
  must(writer.append_chunk(as_page(page_number(0)), true));
  must(writer.finish(track.secrets.recording, {}));
  const auto agent = content(writer.path());
  auto mixed = content(path);
  std::copy(agent.end() - 256, agent.end(), mixed.end() - 256);
  CHECK(code_of(must(sealed::Reader::open(put(folder.path(), mixed))).read_trailer(track.secrets.recording)) ==
        Errc::corrupt);
}

TEST_CASE("chunks moved, repeated, dropped, or under another header are detected") {
  const Folder folder;
  const Recipient people;
  const SealedTrack track, other;
  const auto whole = content(track.write(folder.path(), people, 6));
  const auto reader = must(sealed::Reader::open(put(folder.path(), whole)));
  const auto key = must(sealed::audio_key(reader.header(), people.review.secret, track.secrets.track));
  const auto at = [&](std::size_t n) {
    return static_cast<std::ptrdiff_t>(reader.header().header_bytes() + n * kSealedChunkBytes);
  };
  const auto chunk = static_cast<std::ptrdiff_t>(kSealedChunkBytes);

  const auto judge = [&](const Bytes& bytes, std::uint64_t prefix, bool trailer_holds) {
    auto damaged = must(sealed::Reader::open(put(folder.path(), bytes)));
    CHECK(must(damaged.authenticated_prefix(key)) == prefix);
    const auto trailer = damaged.read_trailer(track.secrets.recording);
    CHECK(trailer.has_value() == trailer_holds);
    if (trailer) CHECK(trailer->chunk_hash != must(damaged.hash_chunks()));
  };
  auto swapped = whole;
  std::swap_ranges(swapped.begin() + at(1), swapped.begin() + at(2), swapped.begin() + at(3));
  judge(swapped, 1, true);
  auto repeated = whole;
  std::copy_n(whole.begin() + at(2), chunk, repeated.begin() + at(3));
  judge(repeated, 3, true);
  auto dropped = whole;
  dropped.erase(dropped.begin() + at(4), dropped.begin() + at(5));
  judge(dropped, 4, false);
  // The end of the call cut away, its trailer kept: the last chunk there is does not say that it is the last.
  auto shortened = whole;
  shortened.erase(shortened.begin() + at(4), shortened.begin() + at(6));
  judge(shortened, 3, false);
  auto doubled = whole;
  doubled.insert(doubled.begin() + at(6), whole.begin() + at(5), whole.begin() + at(6));
  judge(doubled, 5, false);

  const auto second = content(other.write(folder.path(), people, 6));
  auto exchanged = whole;
  std::copy_n(second.begin(), reader.header().header_bytes(), exchanged.begin());
  auto under_other = must(sealed::Reader::open(put(folder.path(), exchanged)));
  const auto other_key = must(sealed::audio_key(under_other.header(), people.review.secret, other.secrets.track));
  CHECK(must(under_other.authenticated_prefix(other_key)) == 0);
  CHECK(code_of(under_other.read_trailer(other.secrets.recording)) == Errc::corrupt);
  CHECK(code_of(under_other.read_trailer(track.secrets.recording)) == Errc::corrupt);
}

TEST_CASE("every flipped bit of a 16 KiB file is detected, by the keeper's side alone and by a reviewer's") {
  const Folder folder;
  const Recipient people;
  const SealedTrack track;
  const auto path = track.write(folder.path(), people, 14);
  const auto whole = content(path);
  REQUIRE(whole.size() > 15 * 1024);
  const auto header = must(sealed::parse_header(whole));
  const auto key = must(sealed::audio_key(header, people.review.secret, track.secrets.track));
  const auto header_bytes = header.header_bytes();
  const auto trailer_at = whole.size() - sealed::kTrailerBytes;
  auto file = must(os::File::open_write(path));

  std::size_t undetected = 0;
  for (std::size_t bit = 0; bit < whole.size() * 8; ++bit) {
    const std::size_t byte = bit / 8;
    const std::byte flipped = whole[byte] ^ static_cast<std::byte>(1U << bit % 8);
    must(file.write_at(ByteView(&flipped, 1), byte));
    auto reader = sealed::Reader::open(path);
    bool keeper = false, reviewer = false;
    if (byte < header_bytes) {
      keeper = reviewer =
          !reader && (reader.error().code == Errc::corrupt || reader.error().code == Errc::newer_version);
      if (reader) {
        keeper = !reader->read_trailer(track.secrets.recording);
        const auto found = sealed::audio_key(reader->header(), people.review.secret, track.secrets.track);
        reviewer = !found && found.error().code == Errc::corrupt;
      }
    } else if (byte < trailer_at) {
      REQUIRE(reader);
      const auto trailer = must(reader->read_trailer(track.secrets.recording));
      keeper = must(reader->hash_chunks()) != trailer.chunk_hash;
      reviewer = must(reader->authenticated_prefix(key)) == (byte - header_bytes) / kSealedChunkBytes;
    } else {
      REQUIRE(reader);
      const auto trailer = reader->read_trailer(track.secrets.recording);
      keeper = !trailer && trailer.error().code == (reader->finished() ? Errc::corrupt : Errc::not_found);
      reviewer = bit % 8 != 0 || must(reader->authenticated_prefix(key)) == 14;
    }
    if (!keeper || !reviewer) ++undetected;
    must(file.write_at(ByteView(&whole[byte], 1), byte));
  }
  CHECK(undetected == 0);
}

TEST_CASE("every truncation of a 16 KiB file is an error or a correct prefix") {
  const Folder folder;
  const Recipient people;
  const SealedTrack track;
  const auto path = track.write(folder.path(), people, 14);
  const auto whole = content(path);
  const auto header = must(sealed::parse_header(whole));
  const auto key = must(sealed::audio_key(header, people.review.secret, track.secrets.track));
  auto file = must(os::File::open_write(path));
  Bytes out(14 * kChunkBytes);
  for (std::size_t length = whole.size(); length-- > 0;) {
    must(file.truncate(length));
    auto reader = sealed::Reader::open(path);
    if (length < header.header_bytes()) {
      REQUIRE(code_of(reader) == Errc::corrupt);
      continue;
    }
    REQUIRE(reader);
    const std::uint64_t chunks = (length - header.header_bytes()) / kSealedChunkBytes;
    REQUIRE(reader->chunk_count() == chunks);
    REQUIRE_FALSE(reader->finished());
    REQUIRE(reader->torn_bytes() == (length - header.header_bytes()) % kSealedChunkBytes);
    REQUIRE(code_of(reader->read_trailer(track.secrets.recording)) == Errc::not_found);
    if (reader->torn_bytes() > 1) continue;  // the chunks themselves are the same
    REQUIRE(must(reader->authenticated_prefix(key)) == chunks);
    must(reader->read_chunks(key, 0, chunks, std::span(out).first(chunks * kChunkBytes)));
    for (std::uint64_t n = 0; n < chunks; ++n) {
      const auto page = page_number(n);
      REQUIRE(std::equal(page.begin(), page.end(), out.begin() + static_cast<std::ptrdiff_t>(n * kChunkBytes)));
    }
  }
}

TEST_CASE("a header says when it is of another version, or is none") {
  const Folder folder;
  const Recipient people;
  const SealedTrack track;
  auto bytes = track.header(people).header.raw;
  bytes[8] = std::byte{2};
  CHECK(code_of(sealed::parse_header(bytes)) == Errc::newer_version);
  bytes[8] = std::byte{0};
  CHECK(code_of(sealed::parse_header(bytes)) == Errc::corrupt);
  CHECK(code_of(sealed::parse_header({})) == Errc::corrupt);
  CHECK(code_of(sealed::Reader::open(folder.path() / "nothing")) == Errc::not_found);
  CHECK(code_of(sealed::Reader::open(put(folder.path(), {}))) == Errc::corrupt);
}

TEST_CASE("file names are read back, and no other is taken for one") {
  const RecordingId id = random_id();
  for (const auto state : {sealed::FileState::fresh, sealed::FileState::part, sealed::FileState::finished}) {
    for (const int segment : {0, 1, 65535}) {
      const sealed::FileName name{id, TrackName::agent, static_cast<std::uint16_t>(segment), state};
      CHECK(sealed::parse_file_name(sealed::to_text(name)) == name);
    }
  }
  const std::string text = id.text();
  CHECK(sealed::to_text({id, TrackName::mixed, 0, sealed::FileState::part}) == text + ".mixed.part");
  for (const std::string bad : {"", ".", ".part", ".caller.0", ".caller.01", ".caller.65536", ".caller.1.2", ".callers",
                                ".caller.", ".caller.part.part", ".caller/..", ".stop"})
    CHECK_MESSAGE(!sealed::parse_file_name(text + bad), bad);
  CHECK_FALSE(sealed::parse_file_name("../../etc/passwd.caller"));
  for (const auto& name : sealed::control_file_names(id)) {
    CHECK(sealed::parse_control_file_name(name) == id);
    CHECK_FALSE(sealed::parse_control_file_name(name + "x"));
    CHECK_FALSE(sealed::parse_file_name(name));
  }
  for (const std::string other : {"", "x", ".pause"}) CHECK_FALSE(sealed::parse_control_file_name(other));
  CHECK_FALSE(sealed::parse_control_file_name(text));
}
