// Known answers: tests/vectors/sealed/*.txt. Each is a list of `name: value` lines, then `file:` and the file in hex.
//   expect: ok, interrupted, corrupt, newer_version    keys: in hex    chunks: how many leading ones authenticate
// The vectors are frozen. To make others (they hold random values): test_sealed --no-skip -tc="write the vectors"
#include <fstream>
#include <map>
#include <sstream>

#include "crypto/aead.h"
#include "sealed_fixture.h"

using namespace callvault;
using namespace callvault::sealed_test;
using sealed::kSealedChunkBytes;

namespace {

const os::Path kVectors = os::Path(CALLVAULT_TESTS) / "vectors" / "sealed";
const os::Path kDocument = os::Path(CALLVAULT_TESTS).parent_path() / "docs" / "format" / "sealed.md";

struct Vector {
  std::map<std::string, std::string> fields;
  Bytes file;
  Key key(const std::string& name) const { return must(Key::copy_of(ByteView(bytes(name)))); }
  Bytes bytes(const std::string& name) const {
    const auto at = fields.find(name);
    REQUIRE_MESSAGE(at != fields.end(), name);
    auto out = base::from_hex(at->second);
    REQUIRE(out);
    return *out;
  }
};

Vector read_vector(const os::Path& path) {
  std::istringstream in{std::string(base::as_text(content(path)))};
  Vector out;
  std::string line, hex;
  bool in_file = false;
  while (std::getline(in, line)) {
    if (in_file) {
      hex += line;
    } else if (line == "file:") {
      in_file = true;
    } else if (!line.empty() && line[0] != '#') {
      const auto colon = line.find(": ");
      REQUIRE_MESSAGE(colon != std::string::npos, line);
      out.fields[line.substr(0, colon)] = line.substr(colon + 2);
    }
  }
  auto bytes = base::from_hex(hex);
  REQUIRE(bytes);
  out.file = *bytes;
  return out;
}

// Opens everything; the word that `expect:` must have, and how many chunks authenticate.
std::pair<std::string, std::uint64_t> judge(const Vector& v, const os::Path& path) {
  auto reader = sealed::Reader::open(path);
  if (!reader) return {std::string(errc_name(reader.error().code)), 0};
  const auto secrets = sealed::open_intake_box(reader->header(), v.key("intake_secret"), v.key("pepper"));
  if (!secrets) return {std::string(errc_name(secrets.error().code)), 0};
  const auto metadata = sealed::open_metadata(reader->header(), secrets->recording);
  if (!metadata) return {std::string(errc_name(metadata.error().code)), 0};
  const auto key = sealed::audio_key(reader->header(), v.key("review_secret"), secrets->track);
  if (!key) return {std::string(errc_name(key.error().code)), 0};
  CHECK(base::to_hex(key->reveal()) == v.fields.at("audio_key"));
  const auto trailer = reader->read_trailer(secrets->recording);
  const std::uint64_t prefix = must(reader->authenticated_prefix(*key));
  if (prefix != reader->chunk_count()) return {"corrupt", prefix};
  if (!trailer) return {trailer.error().code == Errc::not_found ? "interrupted" : "corrupt", prefix};
  if (trailer->chunk_hash != must(reader->hash_chunks())) return {"corrupt", prefix};
  return {trailer->interrupted ? "interrupted" : "ok", prefix};
}

std::string hex_rows(ByteView bytes, std::size_t from, std::size_t count) {
  std::string out;
  for (std::size_t at = from; at < from + count; at += 16) {
    char offset[32];
    std::snprintf(offset, sizeof offset, "%06zx ", at);
    out += offset;
    for (std::size_t i = at; i < std::min(at + 16, from + count); ++i) out += " " + base::to_hex(bytes.subspan(i, 1));
    out += '\n';
  }
  return out;
}

// The worked example of docs/format/sealed.md, from the vector `ok`.
std::string worked_example(const Vector& v) {
  const auto header = must(sealed::parse_header(v.file));
  const auto secrets = must(sealed::open_intake_box(header, v.key("intake_secret"), v.key("pepper")));
  const auto hex = [](ByteView bytes) { return base::to_hex(bytes); };
  const ByteView file = v.file;
  const std::size_t h = header.raw.size();
  std::string out;
  out += "intake private key  " + v.fields.at("intake_secret") + "\n";
  out += "pepper              " + v.fields.at("pepper") + "\n";
  out += "review private key  " + v.fields.at("review_secret") + "\n\n";
  out += "fixed fields\n" + hex_rows(file, 0, sealed::kFixedBytes);
  out += "intake box\n" + hex_rows(file, sealed::kFixedBytes, sealed::kIntakeBoxBytes);
  out += "review box\n" + hex_rows(file, sealed::kFixedBytes + sealed::kIntakeBoxBytes, sealed::kReviewBoxBytes);
  out += "metadata box (its first 48 of " + std::to_string(header.metadata_box().size()) + " bytes)\n" +
         hex_rows(file, sealed::kFixedBytes + sealed::kIntakeBoxBytes + sealed::kReviewBoxBytes, 48);
  out += "commitment\n" + hex_rows(file, h - sealed::kCommitmentBytes, sealed::kCommitmentBytes);
  out += "chunk 0 (its first 32 bytes)\n" + hex_rows(file, h, 32);
  out += "chunk 1, the last (its first 32 bytes)\n" + hex_rows(file, h + kSealedChunkBytes, 32);
  out += "trailer (its first 48 bytes)\n" + hex_rows(file, file.size() - sealed::kTrailerBytes, 48) + "\n";
  out += "s_0        " + hex(secrets.recording.reveal()) + "\n";
  out += "s_t        " + hex(secrets.track.reveal()) + "\n";
  out += "r_t        " + v.fields.at("review_half") + "\n";
  out += "H          " + hex(header.hash) + "\n";
  out += "audio key  " + v.fields.at("audio_key") + "\n";
  out += "metadata   " + must(sealed::encode_metadata(must(sealed::open_metadata(header, secrets.recording)))) + "\n";
  return out;
}

}  // namespace

TEST_CASE("each vector gives the answer it says") {
  const Folder folder;
  std::size_t seen = 0;
  for (const auto& name : must(os::list_folder(kVectors))) {
    INFO(name);
    const Vector v = read_vector(kVectors / name);
    const auto [answer, chunks] = judge(v, put(folder.path(), v.file));
    CHECK(answer == v.fields.at("expect"));
    CHECK(std::to_string(chunks) == v.fields.at("chunks"));
    ++seen;
  }
  CHECK(seen >= 12);
}

TEST_CASE("a header put together from the vector's parts is the vector's header") {
  const Vector v = read_vector(kVectors / "ok.txt");
  const auto header = must(sealed::parse_header(v.file));
  const auto secrets = must(sealed::open_intake_box(header, v.key("intake_secret"), v.key("pepper")));
  const sealed::Boxes boxes{base::to_bytes(header.intake_box()), base::to_bytes(header.review_box()),
                            base::to_bytes(header.metadata_box())};
  const auto made =
      must(sealed::assemble_header({header.id, header.track, header.segment, header.intake_key, header.review_key},
                                   boxes, v.key("review_half"), secrets.track));
  CHECK(made.header.raw == header.raw);
  CHECK(base::to_hex(made.audio_key.reveal()) == v.fields.at("audio_key"));
  Bytes chunk(kSealedChunkBytes);
  crypto::seal_chunk(made.audio_key, 1, true, page_number(1), chunk);
  CHECK(std::equal(chunk.begin(), chunk.end(), v.file.begin() + static_cast<std::ptrdiff_t>(header.raw.size() + 1040)));
}

TEST_CASE("the worked example in the format's document is the vector") {
  const auto document = content(kDocument);
  const std::string example = worked_example(read_vector(kVectors / "ok.txt"));
  CHECK_MESSAGE(base::as_text(document).find(example) != std::string_view::npos, example);
}

TEST_CASE("write the vectors" * doctest::skip()) {
  const Folder folder;
  const auto fixed = [](int seed) {
    std::array<std::byte, 32> bytes{};
    for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::byte>(seed * 16 + static_cast<int>(i));
    return must(Key::copy_of(Key::View(bytes)));
  };
  const Key intake = fixed(1), pepper = fixed(2), review = fixed(3);
  const auto intake_public = must(crypto::public_key_of(intake));
  const auto review_public = must(crypto::public_key_of(review));
  const sealed::Recipients to{.intake = intake_public, .pepper = pepper, .review = review_public};
  const sealed::Secrets secrets{fixed(4), fixed(5)};
  std::array<std::byte, 16> id{};
  for (std::size_t i = 0; i < id.size(); ++i) id[i] = static_cast<std::byte>(0xa0 + i);
  const auto make = [&](const RecordingId& which) {
    sealed::CallMetadata m;
    m.started_at = Time(std::chrono::milliseconds(1'763'900'000'123));
    m.caller = "+40722000001";
    m.consent = Consent::granted;
    m.tracks = {TrackName::caller};
    auto header = must(sealed::make_header({.id = which, .track = TrackName::caller, .intake_key = 7, .review_key = 1},
                                           to, m, secrets));
    const auto plain = must(crypto::open_from(review, nullptr, sealed::kLabelReview, header.header.fixed_fields(),
                                              header.header.review_box(), "box"));
    std::string keys =
        "intake_secret: " + base::to_hex(intake.reveal()) + "\npepper: " + base::to_hex(pepper.reveal()) +
        "\nreview_secret: " + base::to_hex(review.reveal()) + "\nreview_half: " + base::to_hex(plain.reveal()) +
        "\naudio_key: " + base::to_hex(header.audio_key.reveal()) + "\n";
    auto writer = must(sealed::Writer::create(folder.path(), std::move(header)));
    must(writer.append_chunk(as_page(page_number(0)), false));
    must(writer.append_chunk(as_page(page_number(1)), true));
    must(writer.finish(secrets.recording,
                       {.ended_at = m.started_at + std::chrono::seconds(1), .duration = std::chrono::seconds(1)}));
    return std::pair(content(writer.path()), keys);
  };
  const auto [whole, keys] = make(RecordingId(id));
  const auto [other, unused] = make(random_id());
  const std::size_t header = must(sealed::parse_header(whole)).raw.size();
  const auto write = [&, keys = keys](const char* name, const char* expect, int chunks, const Bytes& bytes) {
    std::ofstream out(kVectors / (std::string(name) + ".txt"));
    out << "expect: " << expect << "\nchunks: " << chunks << "\n" << keys << "file:\n";
    for (std::size_t at = 0; at < bytes.size(); at += 32)
      out << base::to_hex(ByteView(bytes).subspan(at, std::min<std::size_t>(32, bytes.size() - at))) << "\n";
  };
  const auto changed = [&, whole = whole](std::size_t at) {
    Bytes out = whole;
    out[at] ^= std::byte{1};
    return out;
  };
  const auto cut = [&, whole = whole](std::size_t bytes) {
    Bytes out = whole;
    out.resize(out.size() - bytes);
    return out;
  };
  write("ok", "ok", 2, whole);
  write("no_trailer", "interrupted", 2, cut(256));
  write("torn_trailer", "interrupted", 2, cut(1));
  write("torn_chunk", "interrupted", 1, cut(256 + 1));
  write("header_only", "interrupted", 0, cut(256 + 2 * kSealedChunkBytes));
  write("cut_header", "corrupt", 0, cut(whole.size() - header + 1));
  Bytes newer = whole;
  newer[8] = std::byte{2};
  write("newer_version", "newer_version", 0, newer);
  write("wrong_magic", "corrupt", 0, changed(0));
  write("wrong_id", "corrupt", 0, changed(16));
  write("wrong_track", "corrupt", 0, changed(32));
  write("wrong_intake_box", "corrupt", 0, changed(56 + 40));
  write("wrong_review_box", "corrupt", 0, changed(56 + 136 + 40));
  write("wrong_metadata", "corrupt", 0, changed(56 + 136 + 104 + 40));
  write("wrong_commitment", "corrupt", 0, changed(header - 1));
  write("wrong_chunk", "corrupt", 1, changed(header + kSealedChunkBytes));
  write("wrong_trailer", "corrupt", 2, changed(whole.size() - 1));
  Bytes swapped = whole;
  std::swap_ranges(swapped.begin() + static_cast<std::ptrdiff_t>(header),
                   swapped.begin() + static_cast<std::ptrdiff_t>(header + kSealedChunkBytes),
                   swapped.begin() + static_cast<std::ptrdiff_t>(header + kSealedChunkBytes));
  write("swapped_chunks", "corrupt", 0, swapped);
  Bytes mixed = whole;
  std::copy(other.end() - 256, other.end(), mixed.end() - 256);
  write("foreign_trailer", "corrupt", 2, mixed);
  MESSAGE(worked_example(read_vector(kVectors / "ok.txt")));
}
