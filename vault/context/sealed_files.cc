#include "context/sealed_files.h"

#include "os/parallel.h"
#include "os/read_ahead.h"

namespace callvault::context {
namespace {

// A check must leave a large machine to its recorders; and more than this hash faster than a disk reads.
constexpr unsigned kMostThreads = 4;
// The disk works on the next files while these are hashed.
constexpr std::size_t kFilesAhead = 8;
constexpr std::uint64_t kBytesAhead = std::uint64_t{1} << 20;

Result<void> check_opened(sealed::Reader& reader, const keys::NodeRow& row, const keys::TrackSecret& track,
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

}  // namespace

Result<void> check_sealed(const os::Path& path, const keys::NodeRow& row, const keys::TrackSecret& track, Depth depth) {
  CALLVAULT_TRY_ASSIGN(auto reader, sealed::Reader::open(path));
  return check_opened(reader, row, track, depth);
}

std::vector<CheckedFile> check_sealed_files(const base::Layout& layout, const keys::Bucket& bucket,
                                            std::span<const keys::NodeRow> rows, Depth depth) {
  std::vector<CheckedFile> files;
  for (std::size_t i = 0; i < rows.size(); ++i)
    for (std::size_t k = 0; k < rows[i].tracks.size(); ++k) files.push_back({i, k, {}, {}});
  const auto find = [&](const CheckedFile& file) {
    const auto& track = rows[file.row].tracks[file.track];
    return find_sealed_file(layout, bucket.day, rows[file.row].id, track.name, track.segment);
  };
  const auto check = [&](CheckedFile& file) -> Result<void> {
    CALLVAULT_TRY_ASSIGN(const auto path, find(file));
    CALLVAULT_TRY_ASSIGN(auto reader, sealed::Reader::open(path));
    file.chunks = reader.chunk_count();
    return check_opened(reader, rows[file.row], rows[file.row].tracks[file.track], depth);
  };
  os::in_parallel(files.size(), kMostThreads, [&](std::size_t i) {
    if (depth == Depth::every_byte && i + kFilesAhead < files.size())
      if (const auto path = find(files[i + kFilesAhead])) os::read_ahead(*path, kBytesAhead);
    if (auto done = check(files[i]); !done) files[i].problem = done.error();
  });
  return files;
}

}  // namespace callvault::context
