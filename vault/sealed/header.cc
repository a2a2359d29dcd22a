#include "sealed/header.h"

#include <algorithm>
#include <cstring>
#include <functional>

#include "crypto/aead.h"

namespace callvault::sealed {
namespace {

ByteView bytes_of(const std::array<unsigned char, 8>& magic) { return std::as_bytes(std::span(magic)); }

Error corrupt(std::string_view why) { return fail(Errc::corrupt, "sealed header: " + std::string(why)); }

// audio key = keyed BLAKE2b(r_t; label, 0, s_t || H): neither half is enough, and another header gives another key.
Result<Key> join_audio_key(const Key& review_half, const Key& track_secret, const Digest& header_hash) {
  CALLVAULT_TRY_ASSIGN(auto context, crypto::SecretBuffer::make(Key::kBytes + header_hash.size()));
  const auto track = track_secret.reveal();
  const MutableBytes out = context.reveal_mutable();
  std::copy(track.begin(), track.end(), out.begin());
  std::copy(header_hash.begin(), header_hash.end(), out.begin() + Key::kBytes);
  return review_half.derive(kLabelAudio, context.reveal());
}

Digest commitment_to(const Key& audio_key) { return crypto::blake2b(audio_key, base::as_bytes(kLabelCommitment)); }

Result<Bytes> seal_metadata(const CallMetadata& metadata, const Key& recording_secret,
                            const std::function<ByteView(std::size_t)>& associated_for) {
  CALLVAULT_TRY_ASSIGN(const std::string text, encode_metadata(metadata));
  const std::size_t padded = (text.size() + kMetadataStep - 1) / kMetadataStep * kMetadataStep;
  Bytes plain = base::to_bytes(base::as_bytes(text));
  plain.resize(padded);
  CALLVAULT_TRY_ASSIGN(const Key key, recording_secret.derive(kLabelMetadata));
  return crypto::seal(key, associated_for(padded + kMetadataOverhead), plain);
}

}  // namespace

ByteView Header::fixed_fields() const { return ByteView(raw).first(kFixedBytes); }
ByteView Header::intake_box() const { return ByteView(raw).subspan(kFixedBytes, kIntakeBoxBytes); }
ByteView Header::review_box() const { return ByteView(raw).subspan(kFixedBytes + kIntakeBoxBytes, kReviewBoxBytes); }
ByteView Header::metadata_box() const {
  constexpr std::size_t kStart = kFixedBytes + kIntakeBoxBytes + kReviewBoxBytes;
  return ByteView(raw).subspan(kStart, raw.size() - kStart - kCommitmentBytes);
}
ByteView Header::commitment() const { return ByteView(raw).last(kCommitmentBytes); }

std::array<std::byte, kFixedBytes> encode_fixed_fields(const HeaderFields& fields, std::size_t metadata_box_bytes) {
  std::array<std::byte, kFixedBytes> out{};
  base::FieldWriter writer(out);
  writer.bytes(bytes_of(kMagic));
  writer.number(kVersion);
  writer.number(std::uint16_t{0});
  writer.number(static_cast<std::uint32_t>(kFixedBytes + kIntakeBoxBytes + kReviewBoxBytes + metadata_box_bytes +
                                           kCommitmentBytes));
  writer.bytes(fields.id.bytes());
  writer.number(static_cast<std::uint8_t>(fields.track));
  writer.number(std::uint8_t{0});
  writer.number(fields.segment);
  writer.number(fields.intake_key);
  writer.number(fields.review_key);
  writer.number(static_cast<std::uint32_t>(kIntakeBoxBytes));
  writer.number(static_cast<std::uint32_t>(kReviewBoxBytes));
  writer.number(static_cast<std::uint32_t>(metadata_box_bytes));
  return out;
}

Result<Header> parse_header(ByteView bytes) {
  base::FieldReader reader(bytes);
  const ByteView magic = reader.bytes(kMagic.size());
  if (!reader.ok()) return corrupt("it is cut short");
  if (std::memcmp(magic.data(), kMagic.data(), kMagic.size()) != 0) return corrupt("this is not a sealed file");
  const auto version = reader.number<std::uint16_t>();
  if (!reader.ok()) return corrupt("it is cut short");
  if (version > kVersion)
    return fail(Errc::newer_version, "sealed file of format version " + std::to_string(version) +
                                         ": this callvault reads up to " + std::to_string(kVersion));
  if (version == 0) return corrupt("version 0 does not exist");
  const auto reserved = reader.number<std::uint16_t>();
  const auto header_bytes = reader.number<std::uint32_t>();
  Header out;
  out.id = RecordingId(reader.array<RecordingId::kBytes>());
  const auto track = reader.number<std::uint8_t>();
  const auto reserved_too = reader.number<std::uint8_t>();
  out.segment = reader.number<std::uint16_t>();
  out.intake_key = reader.number<std::uint32_t>();
  out.review_key = reader.number<std::uint32_t>();
  const auto intake_box = reader.number<std::uint32_t>();
  const auto review_box = reader.number<std::uint32_t>();
  const auto metadata_box = reader.number<std::uint32_t>();
  if (!reader.ok()) return corrupt("it is cut short");

  if (reserved != 0 || reserved_too != 0) return corrupt("a reserved field is not zero");
  if (track > static_cast<std::uint8_t>(TrackName::agent)) return corrupt("the track does not exist");
  out.track = static_cast<TrackName>(track);
  if (intake_box != kIntakeBoxBytes || review_box != kReviewBoxBytes) return corrupt("a box has the wrong length");
  if (metadata_box < kMetadataStep + kMetadataOverhead || metadata_box > kMetadataMaxBytes + kMetadataOverhead ||
      (metadata_box - kMetadataOverhead) % kMetadataStep != 0)
    return corrupt("the metadata has the wrong length");
  if (header_bytes != kFixedBytes + kIntakeBoxBytes + kReviewBoxBytes + metadata_box + kCommitmentBytes)
    return corrupt("its lengths contradict each other");
  if (bytes.size() < header_bytes) return corrupt("it is cut short");
  out.raw = base::to_bytes(bytes.first(header_bytes));
  out.hash = crypto::blake2b(ByteView(out.raw).first(header_bytes - kCommitmentBytes));
  return out;
}

Result<Header> read_header(const os::File& file) {
  Bytes bytes(1024);  // holds most headers; the length field asks for the others
  CALLVAULT_TRY_ASSIGN(std::size_t got, file.read_at(bytes, 0));
  if (got == bytes.size()) {
    base::FieldReader reader(bytes);
    reader.bytes(12);
    const auto header_bytes = reader.number<std::uint32_t>();
    if (header_bytes > bytes.size() && header_bytes <= kHeaderMaxBytes) {
      bytes.resize(header_bytes);
      CALLVAULT_TRY_ASSIGN(got, file.read_at(bytes, 0));
    }
  }
  auto header = parse_header(ByteView(bytes).first(got));
  if (!header) return fail(header.error().code, header.error().message + " (" + file.path().string() + ")");
  return header;
}

Result<Secrets> open_intake_box(const Header& header, const Key& intake_secret, const Key& pepper) {
  CALLVAULT_TRY_ASSIGN(const auto plain,
                       crypto::open_from(intake_secret, &pepper, kLabelIntake, header.fixed_fields(),
                                         header.intake_box(), "intake box of recording " + header.id.text()));
  static_assert(kIntakeBoxBytes == 2 * Key::kBytes + crypto::kBoxOverhead);
  CALLVAULT_TRY_ASSIGN(Key recording, Key::copy_of(plain.reveal().first(Key::kBytes)));
  CALLVAULT_TRY_ASSIGN(Key track, Key::copy_of(plain.reveal().subspan(Key::kBytes)));
  return Secrets{std::move(recording), std::move(track)};
}

Result<Key> audio_key(const Header& header, const Key& review_secret, const Key& track_secret) {
  const std::string what = "review box of recording " + header.id.text();
  CALLVAULT_TRY_ASSIGN(const auto plain, crypto::open_from(review_secret, nullptr, kLabelReview, header.fixed_fields(),
                                                           header.review_box(), what));
  static_assert(kReviewBoxBytes == Key::kBytes + crypto::kBoxOverhead);
  CALLVAULT_TRY_ASSIGN(const Key review_half, Key::copy_of(plain.reveal()));
  CALLVAULT_TRY_ASSIGN(Key key, join_audio_key(review_half, track_secret, header.hash));
  if (!crypto::equal(commitment_to(key), header.commitment()))
    return fail(Errc::corrupt, "key commitment of recording " + header.id.text() + " does not match");
  return key;
}

Result<CallMetadata> open_metadata(const Header& header, const Key& recording_secret) {
  CALLVAULT_TRY_ASSIGN(const Key key, recording_secret.derive(kLabelMetadata));
  CALLVAULT_TRY_ASSIGN(const Bytes plain, crypto::open_plain(key, header.fixed_fields(), header.metadata_box(),
                                                             "metadata of recording " + header.id.text()));
  std::string_view text = base::as_text(plain);
  text = text.substr(0, text.find('\0'));
  CALLVAULT_TRY_ASSIGN(CallMetadata metadata, decode_metadata(text));
  if (std::find(metadata.tracks.begin(), metadata.tracks.end(), header.track) == metadata.tracks.end())
    return fail(Errc::corrupt, "metadata of recording " + header.id.text() + " does not name its own track");
  return metadata;
}

Result<NewHeader> make_header(const HeaderFields& fields, const Recipients& to, const CallMetadata& metadata,
                              const Secrets& secrets) {
  CALLVAULT_TRY_ASSIGN(const Key review_half, Key::random());
  CALLVAULT_TRY_ASSIGN(auto halves, crypto::SecretBuffer::make(2 * Key::kBytes));
  const auto recording = secrets.recording.reveal();
  const auto track = secrets.track.reveal();
  std::copy(recording.begin(), recording.end(), halves.reveal_mutable().begin());
  std::copy(track.begin(), track.end(), halves.reveal_mutable().begin() + Key::kBytes);

  std::array<std::byte, kFixedBytes> fixed{};
  Boxes boxes;
  CALLVAULT_TRY_ASSIGN(boxes.metadata, seal_metadata(metadata, secrets.recording, [&](std::size_t box_bytes) {
                         fixed = encode_fixed_fields(fields, box_bytes);
                         return ByteView(fixed);
                       }));
  CALLVAULT_TRY_ASSIGN(boxes.intake, crypto::seal_to(to.intake, &to.pepper, kLabelIntake, fixed, halves.reveal()));
  CALLVAULT_TRY_ASSIGN(boxes.review, crypto::seal_to(to.review, nullptr, kLabelReview, fixed, review_half.reveal()));
  return assemble_header(fields, boxes, review_half, secrets.track);
}

Result<NewHeader> assemble_header(const HeaderFields& fields, const Boxes& boxes, const Key& review_half,
                                  const Key& track_secret) {
  Header header;
  header.id = fields.id;
  header.track = fields.track;
  header.segment = fields.segment;
  header.intake_key = fields.intake_key;
  header.review_key = fields.review_key;
  const auto fixed = encode_fixed_fields(fields, boxes.metadata.size());
  header.raw = base::to_bytes(fixed);
  for (const Bytes* box : {&boxes.intake, &boxes.review, &boxes.metadata})
    header.raw.insert(header.raw.end(), box->begin(), box->end());
  header.hash = crypto::blake2b(header.raw);
  CALLVAULT_TRY_ASSIGN(Key key, join_audio_key(review_half, track_secret, header.hash));
  const Digest commitment = commitment_to(key);
  header.raw.insert(header.raw.end(), commitment.begin(), commitment.end());
  // What was written must be readable: another length of a box, an unknown track end here.
  CALLVAULT_TRY(parse_header(header.raw));
  return NewHeader{std::move(header), std::move(key)};
}

}  // namespace callvault::sealed
