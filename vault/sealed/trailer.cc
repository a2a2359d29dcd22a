#include "sealed/trailer.h"

#include <algorithm>
#include <cstring>
#include <string>

#include "crypto/aead.h"

namespace callvault::sealed {
namespace {

constexpr std::uint64_t kMaxMs = std::uint64_t{1} << 52;  // far beyond any call or date
static_assert(3 * 8 + 4 + 4 + 32 + 32 <= kTrailerPlainBytes);

// The two tracks of a call share s_0, so the key is made for one file; the associated data bind every header byte.
Result<Key> trailer_key(const Header& header, const Key& recording_secret) {
  std::array<std::byte, 3> context{};
  base::FieldWriter writer(context);
  writer.number(static_cast<std::uint8_t>(header.track));
  writer.number(header.segment);
  return recording_secret.derive(kLabelTrailer, context);
}

std::array<std::byte, 64> associated_data(const Header& header) {
  std::array<std::byte, 64> out{};
  base::FieldWriter writer(out);
  writer.bytes(header.hash);
  writer.bytes(header.commitment());
  return out;
}

}  // namespace

Result<TrailerBytes> seal_trailer(const Header& header, const Key& recording_secret, const Trailer& trailer) {
  std::array<std::byte, kTrailerPlainBytes> plain{};
  base::FieldWriter writer(plain);
  writer.number(static_cast<std::uint64_t>(std::max<std::int64_t>(trailer.ended_at.time_since_epoch().count(), 0)));
  writer.number(static_cast<std::uint64_t>(std::max<std::int64_t>(trailer.duration.count(), 0)));
  writer.number(trailer.chunks);
  writer.number((trailer.truncated ? kFlagTruncated : 0U) | (trailer.interrupted ? kFlagInterrupted : 0U));
  writer.number(std::uint32_t{0});
  writer.bytes(trailer.chunk_hash);
  writer.bytes(trailer.audio_hash);

  CALLVAULT_TRY_ASSIGN(const Key key, trailer_key(header, recording_secret));
  const Bytes sealed = crypto::seal(key, associated_data(header), plain);
  TrailerBytes out{};
  base::FieldWriter whole(out);
  whole.bytes(std::as_bytes(std::span(kTrailerMagic)));
  whole.bytes(sealed);
  return out;
}

Result<Trailer> open_trailer(const Header& header, const Key& recording_secret, ByteView bytes) {
  const std::string what = "trailer of recording " + header.id.text();
  if (bytes.size() != kTrailerBytes || std::memcmp(bytes.data(), kTrailerMagic.data(), kTrailerMagic.size()) != 0)
    return fail(Errc::corrupt, what + " is not one");
  CALLVAULT_TRY_ASSIGN(const Key key, trailer_key(header, recording_secret));
  CALLVAULT_TRY_ASSIGN(const Bytes plain,
                       crypto::open_plain(key, associated_data(header), bytes.subspan(kTrailerMagic.size()), what));
  base::FieldReader reader(plain);
  const auto ended_at = reader.number<std::uint64_t>();
  const auto duration = reader.number<std::uint64_t>();
  Trailer out;
  out.chunks = reader.number<std::uint64_t>();
  const auto flags = reader.number<std::uint32_t>();
  reader.number<std::uint32_t>();
  out.chunk_hash = reader.array<32>();
  out.audio_hash = reader.array<32>();
  if (ended_at > kMaxMs || duration > kMaxMs || (flags & ~(kFlagTruncated | kFlagInterrupted)) != 0)
    return fail(Errc::corrupt, what + " makes no sense");
  out.ended_at = Time(std::chrono::milliseconds(ended_at));
  out.duration = std::chrono::milliseconds(duration);
  out.truncated = (flags & kFlagTruncated) != 0;
  out.interrupted = (flags & kFlagInterrupted) != 0;
  return out;
}

Result<Key> audio_hash_key(std::string_view call_id) {
  crypto::Hasher hasher;
  const std::byte separator{0};
  hasher.add(base::as_bytes(kLabelAudioHash));
  hasher.add(ByteView(&separator, 1));
  hasher.add(base::as_bytes(call_id));
  CALLVAULT_TRY_ASSIGN(Key key, Key::random());
  hasher.finish_into(key.reveal_mutable());
  return key;
}

}  // namespace callvault::sealed
