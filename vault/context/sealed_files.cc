#include "context/sealed_files.h"

namespace callvault::context {

Result<void> check_sealed(sealed::Reader& reader, const keys::NodeRow& row, const keys::TrackSecret& track,
                          Depth depth) {
  if (reader.header().hash != track.header_hash)
    return fail(Errc::corrupt, "the header is not the one that was settled");
  if (row.in_progress) return {};
  CALLVAULT_TRY_ASSIGN(const auto secret, crypto::Key::copy_of(row.record_secret));
  CALLVAULT_TRY_ASSIGN(const auto trailer, reader.read_trailer(secret));
  if (depth == Depth::ends) return {};
  CALLVAULT_TRY_ASSIGN(const auto hash, reader.hash_chunks());
  if (hash != trailer.chunk_hash) return fail(Errc::corrupt, "the sealed audio is damaged");
  return {};
}

Result<void> check_sealed(const os::Path& path, const keys::NodeRow& row, const keys::TrackSecret& track, Depth depth) {
  CALLVAULT_TRY_ASSIGN(auto reader, sealed::Reader::open(path));
  return check_sealed(reader, row, track, depth);
}

}  // namespace callvault::context
