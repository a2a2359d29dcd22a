#include "catalog/row.h"

#include <string_view>

#include "crypto/aead.h"

namespace callvault::catalog {
namespace {

constexpr std::uint8_t kRowVersion = 1;
constexpr std::string_view kLabel = "callvault v1 row";
constexpr std::size_t kTrackBytes = 1 + 2 + 4 + 8;
constexpr std::size_t kMaxRowBytes = 64 + 5 * (2 + kMaxRowText) + kMaxRowTracks * kTrackBytes;

std::uint8_t pack(const Flags& flags) {
  return static_cast<std::uint8_t>((flags.truncated ? 1U : 0U) | (flags.interrupted ? 2U : 0U) |
                                   (flags.duplicate_call_id ? 4U : 0U));
}

Error bad_row() { return fail(Errc::corrupt, "catalogue row does not decode"); }

}  // namespace

Result<Bytes> encode_row(const Row& row) {
  for (const auto* text : {&row.caller, &row.called, &row.agent, &row.call_id, &row.notice})
    if (text->size() > kMaxRowText) return fail(Errc::usage, "a text of the catalogue row is too long");
  if (row.tracks.size() > kMaxRowTracks) return fail(Errc::usage, "too many tracks for a catalogue row");
  Bytes out((kMaxRowBytes + kRowBlock - 1) / kRowBlock * kRowBlock);
  base::FieldWriter writer(out);
  writer.number(kRowVersion);
  writer.number(static_cast<std::uint8_t>(row.direction));
  writer.number(pack(row.flags));
  writer.number(static_cast<std::uint8_t>(!row.notice_played ? 0 : *row.notice_played ? 2 : 1));
  writer.number(static_cast<std::uint8_t>((row.ended_at ? 1U : 0U) | (row.duration_ms ? 2U : 0U)));
  writer.number(static_cast<std::uint64_t>(row.ended_at ? row.ended_at->time_since_epoch().count() : 0));
  writer.number(row.duration_ms.value_or(0));
  for (const auto* text : {&row.caller, &row.called, &row.agent, &row.call_id, &row.notice}) writer.text(*text);
  writer.number(static_cast<std::uint16_t>(row.tracks.size()));
  for (const Track& track : row.tracks) {
    writer.number(static_cast<std::uint8_t>(track.name));
    writer.number(track.segment);
    writer.number(track.sample_rate);
    writer.number(track.sealed_bytes);
  }
  if (!writer.ok()) return fail(Errc::unexpected, "catalogue row beyond its bound");
  out.resize((writer.used() + kRowBlock - 1) / kRowBlock * kRowBlock);
  return out;
}

Result<Row> decode_row(ByteView plain) {
  if (plain.empty() || plain.size() % kRowBlock != 0) return bad_row();
  base::FieldReader reader(plain);
  Row row;
  if (reader.number<std::uint8_t>() != kRowVersion) return bad_row();
  const auto direction = reader.number<std::uint8_t>();
  const auto flags = reader.number<std::uint8_t>();
  const auto notice = reader.number<std::uint8_t>();
  const auto present = reader.number<std::uint8_t>();
  const auto ended = static_cast<std::int64_t>(reader.number<std::uint64_t>());
  const auto duration = reader.number<std::uint64_t>();
  if (direction < 1 || direction > 2 || flags > 7 || notice > 2 || present > 3) return bad_row();
  row.direction = static_cast<Direction>(direction);
  row.flags = {(flags & 1U) != 0, (flags & 2U) != 0, (flags & 4U) != 0};
  if (notice != 0) row.notice_played = notice == 2;
  if ((present & 1U) != 0) row.ended_at = Time(std::chrono::milliseconds(ended));
  if ((present & 2U) != 0) row.duration_ms = duration;
  if ((!row.ended_at && ended != 0) || (!row.duration_ms && duration != 0)) return bad_row();
  for (auto* text : {&row.caller, &row.called, &row.agent, &row.call_id, &row.notice}) {
    *text = reader.text();
    if (text->size() > kMaxRowText) return bad_row();
  }
  const auto tracks = reader.number<std::uint16_t>();
  if (!reader.ok() || tracks > kMaxRowTracks || reader.left() < tracks * kTrackBytes) return bad_row();
  for (std::uint16_t i = 0; i < tracks; ++i) {
    Track track;
    const auto name = reader.number<std::uint8_t>();
    if (name > 2) return bad_row();
    track.name = static_cast<TrackName>(name);
    track.segment = reader.number<std::uint16_t>();
    track.sample_rate = reader.number<std::uint32_t>();
    track.sealed_bytes = reader.number<std::uint64_t>();
    row.tracks.push_back(track);
  }
  if (!reader.ok() || reader.left() >= kRowBlock) return bad_row();
  for (const std::byte pad : reader.bytes(reader.left()))
    if (pad != std::byte{0}) return bad_row();
  return row;
}

Result<Bytes> seal_row(const Row& row, const crypto::Key& recording_secret, const RecordingId& id) {
  CALLVAULT_TRY_ASSIGN(const Bytes plain, encode_row(row));
  CALLVAULT_TRY_ASSIGN(const crypto::Key key, recording_secret.derive(kLabel));
  return crypto::seal(key, id.bytes(), plain);
}

Result<Row> open_row(ByteView sealed, const crypto::Key& recording_secret, const RecordingId& id) {
  CALLVAULT_TRY_ASSIGN(const crypto::Key key, recording_secret.derive(kLabel));
  CALLVAULT_TRY_ASSIGN(const Bytes plain, crypto::open_plain(key, id.bytes(), sealed, "catalogue row " + id.text()));
  return decode_row(plain);
}

}  // namespace callvault::catalog
