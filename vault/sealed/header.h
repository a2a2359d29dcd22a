// The header of a sealed file: who may open it, and, sealed, what it is. Durable before the first chunk.
#pragma once

#include <array>
#include <cstdint>

#include "callvault/call_record.h"
#include "crypto/box.h"
#include "crypto/hash.h"
#include "os/file.h"
#include "sealed/format.h"
#include "sealed/metadata.h"

namespace callvault::sealed {

using base::Bytes;
using base::ByteView;
using base::MutableBytes;
using crypto::Digest;
using crypto::Key;

// A parsed header. Nothing in it is authenticated until a box has been opened.
struct Header {
  RecordingId id;
  TrackName track = TrackName::mixed;
  std::uint16_t segment = 0;
  std::uint32_t intake_key = 0;  // id of the key the intake box is sealed to
  std::uint32_t review_key = 0;  // number of the key the review box is sealed to
  Bytes raw;                     // every byte, commitment included
  Digest hash{};                 // H: BLAKE2b-256 of every byte before the commitment

  ByteView fixed_fields() const;
  ByteView intake_box() const;
  ByteView review_box() const;
  ByteView metadata_box() const;
  ByteView commitment() const;
  std::uint64_t header_bytes() const { return raw.size(); }
};

// `bytes` starts with the header; more may follow. Errors: corrupt; newer_version.
Result<Header> parse_header(ByteView bytes);
// The same from the start of a file. Also io.
Result<Header> read_header(const os::File& file);

struct Secrets {
  Key recording;  // s_0
  Key track;      // s_t
};

// What the keeper side does when settling. Errc::corrupt when the box does not open.
Result<Secrets> open_intake_box(const Header& header, const Key& intake_secret, const Key& pepper);
// What a reviewer does: neither half is enough. Checks the commitment. Errc::corrupt when a half is wrong.
Result<Key> audio_key(const Header& header, const Key& review_secret, const Key& track_secret);
Result<CallMetadata> open_metadata(const Header& header, const Key& recording_secret);

// The fields that the recorder chooses.
struct HeaderFields {
  RecordingId id;
  TrackName track = TrackName::mixed;
  std::uint16_t segment = 0;
  std::uint32_t intake_key = 0;
  std::uint32_t review_key = 0;
};

struct Recipients {
  const crypto::PublicKey& intake;
  const Key& pepper;
  const crypto::PublicKey& review;
};

struct NewHeader {
  Header header;
  Key audio_key;
};

// Draws r_t, which only the review box keeps. Errors: usage (metadata out of bounds), unexpected.
Result<NewHeader> make_header(const HeaderFields& fields, const Recipients& to, const CallMetadata& metadata,
                              const Secrets& secrets);

// Puts finished boxes together: what make_header ends with; alone for tests with fixed values.
struct Boxes {
  Bytes intake, review, metadata;
};
Result<NewHeader> assemble_header(const HeaderFields& fields, const Boxes& boxes, const Key& review_half,
                                  const Key& track_secret);
// The bytes 0..kFixedBytes: the associated data of the three boxes.
std::array<std::byte, kFixedBytes> encode_fixed_fields(const HeaderFields& fields, std::size_t metadata_box_bytes);

}  // namespace callvault::sealed
