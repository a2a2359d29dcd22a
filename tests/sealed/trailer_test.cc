// What a trailer says, and what none may say even under its right key.
#include "sealed/trailer.h"

#include "crypto/aead.h"
#include "sealed_fixture.h"

using namespace callvault;
using namespace callvault::sealed_test;

namespace {

// Sealed as the format has it, whatever it says.
Bytes sealed_with(const sealed::Header& header, const Key& recording, std::uint64_t ended, std::uint64_t lasted,
                  std::uint32_t flags) {
  std::array<std::byte, sealed::kTrailerPlainBytes> plain{};
  base::FieldWriter fields(plain);
  fields.number(ended);
  fields.number(lasted);
  fields.number(std::uint64_t{3});
  fields.number(flags);
  std::array<std::byte, 3> context{};
  base::FieldWriter of(context);
  of.number(static_cast<std::uint8_t>(header.track));
  of.number(header.segment);
  const Key key = must(recording.derive(sealed::kLabelTrailer, context));
  Bytes bound = base::to_bytes(header.hash);
  bound.insert(bound.end(), header.commitment().begin(), header.commitment().end());
  Bytes out = base::to_bytes(std::as_bytes(std::span(sealed::kTrailerMagic)));
  const Bytes body = crypto::seal(key, bound, plain);
  out.insert(out.end(), body.begin(), body.end());
  return out;
}

}  // namespace

TEST_CASE("a trailer gives back what it was told, each flag alone") {
  const Recipient people;
  const SealedTrack track;
  const auto header = track.header(people).header;
  for (const auto& [truncated, interrupted] : {std::pair{false, false}, {true, false}, {false, true}, {true, true}}) {
    sealed::Trailer trailer;
    trailer.ended_at = sample_metadata().started_at;
    trailer.duration = std::chrono::milliseconds(1500);
    trailer.chunks = 3;
    trailer.truncated = truncated;
    trailer.interrupted = interrupted;
    const auto bytes = must(sealed::seal_trailer(header, track.secrets.recording, trailer));
    CHECK(must(sealed::open_trailer(header, track.secrets.recording, bytes)) == trailer);
  }
}

TEST_CASE("what is no trailer, or makes no sense under its right key, is damage") {
  const Recipient people;
  const SealedTrack track;
  const auto header = track.header(people).header;
  const auto open = [&](base::ByteView bytes) { return sealed::open_trailer(header, track.secrets.recording, bytes); };
  const auto with = [&](std::uint64_t ended, std::uint64_t lasted, std::uint32_t flags) {
    return sealed_with(header, track.secrets.recording, ended, lasted, flags);
  };
  const Bytes good = with(1'763'900'000'123, 1500, 3);
  const auto opened = must(open(good));
  CHECK(opened.chunks == 3);
  CHECK(opened.truncated);
  CHECK(opened.interrupted);

  constexpr std::uint64_t kFar = (std::uint64_t{1} << 52) + 1;
  CHECK(must(open(with(kFar - 1, kFar - 1, 0))).duration.count() == kFar - 1);
  CHECK(code_of(open(with(kFar, 1500, 0))) == Errc::corrupt);
  CHECK(code_of(open(with(1'763'900'000'123, kFar, 0))) == Errc::corrupt);
  CHECK(code_of(open(with(1'763'900'000'123, 1500, 4))) == Errc::corrupt);
  CHECK(code_of(open(base::ByteView(good).first(good.size() - 1))) == Errc::corrupt);
  CHECK(code_of(open({})) == Errc::corrupt);
  Bytes other = good;
  other[1] = std::byte{'X'};
  CHECK(code_of(open(other)) == Errc::corrupt);
}
