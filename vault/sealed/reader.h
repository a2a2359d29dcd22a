// Reads a sealed file, finished or not, by chunk.
#pragma once

#include "callvault/reports.h"
#include "sealed/names.h"
#include "sealed/trailer.h"

namespace callvault::sealed {

// What the size and the ends of a file tell.
struct FileShape {
  Header header;
  std::uint64_t file_bytes = 0;
  std::uint64_t chunks = 0;      // whole ones
  std::uint64_t torn_bytes = 0;  // after the last whole chunk
  bool finished = false;         // ends in a trailer (not yet authenticated)
};
// Errors: corrupt, newer_version, io.
Result<FileShape> examine(const os::File& file);

class Reader {
 public:
  // Errors: not_found, corrupt, newer_version, io. A file that is still growing is read as it is now.
  static Result<Reader> open(const os::Path& path);
  static Result<Reader> from(os::File file);

  const Header& header() const { return shape_.header; }
  std::uint64_t chunk_count() const { return shape_.chunks; }
  std::uint64_t torn_bytes() const { return shape_.torn_bytes; }
  std::uint64_t file_bytes() const { return shape_.file_bytes; }
  // Ends in a trailer (not yet authenticated). Else: in progress, or interrupted.
  bool finished() const { return shape_.finished; }

  // Errors: corrupt (does not authenticate, or counts other chunks than the file has), not_found when unfinished.
  Result<Trailer> read_trailer(const Key& recording_secret);

  // Opens chunks first .. first+count-1. In a finished file the final chunk must carry the last flag, unless
  // read_trailer has said `interrupted`. Errc::corrupt when one does not authenticate: `out` then holds nothing of it.
  // REQUIRES: first + count <= chunk_count(), out.size() == count * kChunkBytes.
  Result<void> read_chunks(const Key& audio_key, std::uint64_t first, std::uint64_t count, MutableBytes out);

  // The number of leading chunks that authenticate: all of them in an undamaged file. Stops at the first that does not.
  Result<std::uint64_t> authenticated_prefix(const Key& audio_key);

  // BLAKE2b-256 of the whole sealed chunks: equal to Trailer::chunk_hash. Authenticates the file without its audio key.
  Result<Digest> hash_chunks();

 private:
  Reader(os::File file, FileShape shape);
  Result<void> open_chunks(const Key& key, std::uint64_t first, ByteView sealed, MutableBytes out) const;
  bool open_one(const Key& key, std::uint64_t number, ByteView sealed, MutableBytes out) const;

  os::File file_;
  FileShape shape_;
  Bytes buffer_;
  bool interrupted_ = false;  // said by the trailer
};

// Makes a dead recorder's file whole, in place: cuts a torn end, adds a trailer flagged `interrupted` (ended_at = the
// file's last change, duration = from the start to there, at most a second a chunk), makes it durable. A file with a
// trailer that fits its chunks is left as it is and its trailer returned; one that does not fit was never synced, and
// goes. The caller holds the file's lock, renames it and syncs the folder.
// Errors: corrupt, newer_version, io, no_space.
Result<Trailer> recover_trailer(const os::Path& path, const Key& recording_secret);
// The same on a file that is already open for writing (and locked).
Result<Trailer> recover_trailer(os::File& file, const Key& recording_secret);

// What a file says without keys. Errors as Reader::open.
Result<Inspection> inspect(const os::Path& path);

}  // namespace callvault::sealed
