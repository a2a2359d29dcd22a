#include "release_parcel.h"

#include "os/local_socket.h"
#include "service/protocol.h"

namespace callvault {
namespace {

using crypto::Key;

struct SegmentFacts {
  TrackName track = TrackName::mixed;
  std::uint16_t segment = 0;
  std::string header_hash;
  std::string name;
  bool there = false;
};

struct ReleaseFacts {
  RecordingId id;
  std::vector<TrackName> tracks;
  std::vector<SegmentFacts> segments;
};

Error torn() { return fail(Errc::unexpected, "what the keeper's service released is not whole"); }

}  // namespace

Result<ReleaseParcel> pack(review::Release release) {
  ReleaseParcel out;
  const std::size_t keys = 1 + release.segments.size();
  if (!release.record_secret || keys * Key::kBytes > service::kMaxSecretBytes) return torn();
  CALLVAULT_TRY_ASSIGN(out.secrets, crypto::SecretBuffer::make(keys * Key::kBytes));
  base::FieldWriter secrets(out.secrets.reveal_mutable());
  secrets.bytes(release.record_secret->reveal());
  ReleaseFacts facts{release.id, release.tracks, {}};
  for (auto& s : release.segments) {
    if (!s.secret) return torn();
    secrets.bytes(s.secret->reveal());
    facts.segments.push_back({s.track, s.segment, std::string(base::as_text(s.header_hash)), s.name, s.file.is_open()});
    if (s.file.is_open()) out.files.push_back(std::move(s.file));
  }
  if (out.files.size() > os::kMaxPassedFiles)
    return fail(Errc::refused, "recording " + release.id.text() + " has too many files to be opened through a socket");
  service::encode(out.plain, facts);
  return out;
}

Result<review::Release> unpack(ReleaseParcel parcel) {
  service::Decoder in(parcel.plain);
  const auto facts = in.get<ReleaseFacts>();
  if (!in.done() || parcel.secrets.size() != (1 + facts.segments.size()) * Key::kBytes) return torn();
  const auto secret = [&](std::size_t i) {
    return Key::copy_of(base::ByteView(parcel.secrets.reveal().subspan(i * Key::kBytes, Key::kBytes)));
  };
  review::Release out;
  out.id = facts.id;
  out.tracks = facts.tracks;
  CALLVAULT_TRY_ASSIGN(out.record_secret, secret(0));
  auto file = parcel.files.begin();
  for (const auto& f : facts.segments) {
    review::ReleasedSegment segment{f.track, f.segment, {}, {}, {}, f.name};
    if (f.header_hash.size() != segment.header_hash.size()) return torn();
    std::ranges::copy(base::as_bytes(f.header_hash), segment.header_hash.begin());
    CALLVAULT_TRY_ASSIGN(segment.secret, secret(1 + out.segments.size()));
    if (f.there) {
      if (file == parcel.files.end()) return torn();
      segment.file = std::move(*file++);
      segment.file.set_path(f.name);
    }
    out.segments.push_back(std::move(segment));
  }
  if (file != parcel.files.end()) return torn();
  return out;
}

}  // namespace callvault
