#include "sealed/writer.h"

#include <chrono>
#include <thread>

#include "crypto/aead.h"

namespace callvault::sealed {
namespace {

// Somebody who lists the folder may hold the lock for an instant, to see whether a file is alive.
Result<void> lock_patiently(os::File& file) {
  for (int round = 0; round < 500; ++round) {
    CALLVAULT_TRY_ASSIGN(const bool locked, file.try_lock_exclusive());
    if (locked) return {};
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return fail(Errc::busy, "another process holds the new file " + file.path().string());
}

Result<void> write_header(os::File& file, const Header& header, unsigned mode) {
  CALLVAULT_TRY(lock_patiently(file));
  CALLVAULT_TRY(file.set_mode(mode));
  CALLVAULT_TRY(file.write_at(header.raw, 0));
  return file.sync_all();
}

}  // namespace

Writer::Writer(os::File file, os::Path path, NewHeader header)
    : file_(std::move(file)),
      path_(std::move(path)),
      header_(std::move(header)),
      hash_(std::make_unique<crypto::Hasher>()) {}

Result<Writer> Writer::create(const os::Path& folder, NewHeader header, unsigned mode) {
  const Header& h = header.header;
  const os::Path fresh = folder / to_text({h.id, h.track, h.segment, FileState::fresh});
  os::Path part = folder / to_text({h.id, h.track, h.segment, FileState::part});
  // Left by an earlier try of the same segment; nothing was ever acknowledged from it.
  CALLVAULT_TRY(os::remove_file(fresh));
  CALLVAULT_TRY_ASSIGN(os::File file, os::File::create(fresh));
  auto made = write_header(file, h, mode);
  if (made) made = os::rename_file(fresh, part);
  if (made) made = os::sync_folder(folder);
  if (!made) {
    (void)os::remove_file(fresh);
    (void)os::remove_file(part);
    return std::move(made).error();
  }
  return Writer(std::move(file), std::move(part), std::move(header));
}

Result<void> Writer::usable() const {
  if (failed_) return fail(Errc::io, "an earlier write to " + path_.string() + " failed; it is not written again");
  if (ended_) return fail(Errc::unexpected, "the track is already at its end: " + path_.string());
  return {};
}

Result<void> Writer::remember(Result<void> result) {
  if (!result) failed_ = true;
  return result;
}

Result<void> Writer::append_chunk(std::span<const std::byte, kChunkBytes> page, bool last) {
  CALLVAULT_TRY(usable());
  std::array<std::byte, kSealedChunkBytes> chunk;
  crypto::seal_chunk(header_.audio_key, chunks_, last, page, chunk);
  CALLVAULT_TRY(remember(file_.write_at(chunk, file_bytes())));
  hash_->add(chunk);
  ++chunks_;
  ended_ = last;
  return {};
}

Result<void> Writer::sync() {
  if (failed_) return usable();
  CALLVAULT_TRY(remember(file_.sync_data()));
  safe_chunks_ = chunks_;
  return {};
}

Result<void> Writer::finish(const Key& recording_secret, Trailer trailer) {
  if (failed_) return usable();
  // Its readers would take it for cut off.
  if (chunks_ > 0 && !ended_) return fail(Errc::unexpected, "the track has not had its last page: " + path_.string());
  ended_ = true;
  trailer.chunks = chunks_;
  trailer.chunk_hash = hash_->finish();
  CALLVAULT_TRY_ASSIGN(const TrailerBytes bytes, seal_trailer(header(), recording_secret, trailer));
  CALLVAULT_TRY(remember(file_.write_at(bytes, file_bytes())));
  CALLVAULT_TRY(sync());
  const os::Path folder = path_.parent_path();
  const os::Path whole = folder / to_text({header().id, header().track, header().segment, FileState::finished});
  CALLVAULT_TRY(remember(os::rename_file(path_, whole)));
  path_ = whole;
  // Whichever of its two names a power cut leaves: the file is whole and durable, and so is the first name. Were this a
  // failure, the caller would give up a finished file.
  (void)os::sync_folder(folder);
  file_ = os::File();
  return {};
}

Result<void> Writer::discard() {
  ended_ = true;
  CALLVAULT_TRY(os::remove_file(path_));
  file_ = os::File();
  return os::sync_folder(path_.parent_path());
}

os::File Writer::abandon() {
  failed_ = true;
  if (file_.is_open()) (void)file_.truncate(header().header_bytes() + safe_chunks_ * kSealedChunkBytes);
  return std::move(file_);
}

}  // namespace callvault::sealed
