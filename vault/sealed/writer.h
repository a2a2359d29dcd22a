// Writes one sealed file. A chunk is never rewritten, and after the first failure nothing more is written or synced:
// a retried sync lies, so the caller goes on in a new segment.
#pragma once

#include <memory>
#include <span>

#include "sealed/names.h"
#include "sealed/trailer.h"

namespace callvault::sealed {

class Writer {
 public:
  // Creates folder/<name>.part with the header: complete, durable, and locked by this process from the moment it can
  // be seen under that name. On an error nothing is left behind. REQUIRES: the id is this process' own.
  static Result<Writer> create(const os::Path& folder, NewHeader header, unsigned mode = 0600);

  // One pwrite. `last`: of the track; no more chunks after it.
  Result<void> append_chunk(std::span<const std::byte, kChunkBytes> page, bool last);
  // Makes every chunk written so far durable.
  Result<void> sync();
  // Adds the trailer, makes it durable, drops ".part" from the name, syncs the folder. `trailer.chunks` and
  // `trailer.chunk_hash` are filled in here.
  Result<void> finish(const Key& recording_secret, Trailer trailer);
  // Removes the file: a call that brought no audio.
  Result<void> discard();
  // After a failure: cuts off what was never made durable, so that nothing of it is taken for safe. What is left is an
  // interrupted file for recovery, as soon as the returned file, which holds the lock, is closed. Never synced.
  os::File abandon();

  const Header& header() const { return header_.header; }
  const os::Path& path() const { return path_; }
  std::uint64_t chunks() const { return chunks_; }
  std::uint64_t safe_chunks() const { return safe_chunks_; }  // durable
  std::uint64_t file_bytes() const { return header().header_bytes() + chunks_ * kSealedChunkBytes; }
  bool failed() const { return failed_; }

 private:
  Writer(os::File file, os::Path path, NewHeader header);
  Result<void> usable() const;
  Result<void> remember(Result<void> result);

  os::File file_;
  os::Path path_;
  NewHeader header_;
  std::unique_ptr<crypto::Hasher> hash_;
  std::uint64_t chunks_ = 0;
  std::uint64_t safe_chunks_ = 0;
  bool failed_ = false;
  bool ended_ = false;
};

}  // namespace callvault::sealed
