#include "sealed/reader.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>

#include "crypto/aead.h"
#include "crypto/random.h"
#include "os/mapped_window.h"
#include "os/read_ahead.h"

namespace callvault::sealed {
namespace {

// Sealed bytes are fetched in batches that stay in the processor's second-level cache until they are opened.
constexpr std::uint64_t kBatchChunks = 252;
static_assert(kBatchChunks * kSealedChunkBytes <= 256 * 1024);
constexpr std::uint64_t kWindowChunks = 2016;  // 2 MiB
constexpr std::uint64_t kAheadBytes = std::uint64_t{4} << 20;
constexpr std::uint64_t kMinWindowChunks = 64;

// Whole pages of the file into whole pages of memory: the kernel copies those about twice as fast as what lies askew.
constexpr std::size_t kPage = 4096;

Result<ByteView> load_chunks(const os::File& file, const Header& header, std::uint64_t first, std::uint64_t count,
                             Bytes& buffer) {
  const std::uint64_t from = header.header_bytes() + first * kSealedChunkBytes;
  const auto askew = static_cast<std::size_t>(from % kPage);
  const auto bytes = static_cast<std::size_t>(count * kSealedChunkBytes);
  if (buffer.size() < askew + bytes + kPage) buffer.resize(kPage + bytes + kPage);
  void* start = buffer.data();
  std::size_t room = buffer.size();
  std::align(kPage, askew + bytes, start, room);
  const MutableBytes out(static_cast<std::byte*>(start), askew + bytes);
  CALLVAULT_TRY_ASSIGN(const auto got, file.read_at(out, from - askew));
  if (got != out.size()) return fail(Errc::corrupt, "became shorter while it was read: " + file.path().string());
  return ByteView(out).subspan(askew);
}

Result<Digest> hash_chunks_of(const os::File& file, const Header& header, std::uint64_t chunks, Bytes& buffer) {
  crypto::Hasher hasher;
  os::read_ahead(file, 0, kAheadBytes);
  for (std::uint64_t at = 0; at < chunks; at += kBatchChunks) {
    if (at > 0) os::read_ahead(file, at * kSealedChunkBytes + kAheadBytes, kBatchChunks * kSealedChunkBytes);
    CALLVAULT_TRY_ASSIGN(const ByteView batch,
                         load_chunks(file, header, at, std::min(kBatchChunks, chunks - at), buffer));
    hasher.add(batch);
  }
  return hasher.finish();
}

Result<TrailerBytes> load_trailer(const os::File& file, const FileShape& shape) {
  TrailerBytes bytes{};
  CALLVAULT_TRY_ASSIGN(const auto got, file.read_at(bytes, shape.file_bytes - kTrailerBytes));
  if (got != bytes.size()) return fail(Errc::corrupt, "became shorter while it was read: " + file.path().string());
  return bytes;
}

Result<Trailer> trailer_of(const os::File& file, const FileShape& shape, const Key& recording_secret) {
  if (!shape.finished)
    return fail(Errc::not_found, "no trailer, the recording was not finished: " + file.path().string());
  CALLVAULT_TRY_ASSIGN(const TrailerBytes bytes, load_trailer(file, shape));
  CALLVAULT_TRY_ASSIGN(const Trailer trailer, open_trailer(shape.header, recording_secret, bytes));
  if (trailer.chunks != shape.chunks)
    return fail(Errc::corrupt, "holds " + std::to_string(shape.chunks) + " chunks where its trailer counts " +
                                   std::to_string(trailer.chunks) + ": " + file.path().string());
  return trailer;
}

Error damaged(const Header& header, std::uint64_t number) {
  return fail(Errc::corrupt, "chunk " + std::to_string(number) + " of recording " + header.id.text() + " (" +
                                 std::string(to_word(header.track)) + ") does not authenticate");
}

// After a power cut a file may be as long as it was made, and zero where nothing arrived. No sealed chunk is all zeros.
Result<std::uint64_t> chunks_with_content(const os::File& file, const FileShape& shape, Bytes& buffer) {
  std::uint64_t chunks = shape.chunks;
  while (chunks > 0) {
    CALLVAULT_TRY_ASSIGN(const ByteView chunk, load_chunks(file, shape.header, chunks - 1, 1, buffer));
    if (std::any_of(chunk.begin(), chunk.end(), [](std::byte b) { return b != std::byte{0}; })) break;
    --chunks;
  }
  return chunks;
}

// Of a file whose recorder may have lost its power while it wrote the end: before its sync a trailer may be on the disk
// and a chunk before it, or a part of the trailer itself, not. Then it says nothing: Errc::corrupt.
Result<Trailer> fitting_trailer(const os::File& file, const FileShape& shape, const Key& recording_secret,
                                Bytes& buffer) {
  CALLVAULT_TRY_ASSIGN(const Trailer trailer, trailer_of(file, shape, recording_secret));
  CALLVAULT_TRY_ASSIGN(const Digest hash, hash_chunks_of(file, shape.header, shape.chunks, buffer));
  if (hash != trailer.chunk_hash) return fail(Errc::corrupt, "the sealed audio is not what its trailer says");
  return trailer;
}

// When and how long, as far as a file tells whose audio is out of reach here.
void estimate_times(Trailer& trailer, const CallMetadata& metadata, Time changed) {
  const auto bound = [](std::uint64_t chunks) {
    return std::chrono::milliseconds(std::min<std::uint64_t>(chunks, UINT32_MAX) * kChunkMaxMs);
  };
  const auto longest = bound(trailer.chunks);
  const auto elapsed = changed - metadata.started_at;
  trailer.duration = elapsed.count() > 0 ? std::min<std::chrono::milliseconds>(elapsed, longest) : longest;
  const Time latest = metadata.started_at + bound(metadata.first_page) + longest;
  trailer.ended_at = std::clamp(changed, metadata.started_at, latest);
}

}  // namespace

Result<FileShape> examine(const os::File& file) {
  CALLVAULT_TRY_ASSIGN(Header header, read_header(file));
  CALLVAULT_TRY_ASSIGN(const auto file_bytes, file.size());
  if (file_bytes < header.header_bytes())
    return fail(Errc::corrupt, "became shorter while it was read: " + file.path().string());
  FileShape out;
  out.file_bytes = file_bytes;
  const std::uint64_t body = file_bytes - header.header_bytes();
  out.chunks = body / kSealedChunkBytes;
  out.torn_bytes = body % kSealedChunkBytes;
  out.header = std::move(header);
  static_assert(kTrailerBytes < kSealedChunkBytes);
  if (out.torn_bytes == kTrailerBytes) {
    CALLVAULT_TRY_ASSIGN(const TrailerBytes end, load_trailer(file, out));
    if (std::memcmp(end.data(), kTrailerMagic.data(), kTrailerMagic.size()) == 0) {
      out.finished = true;
      out.torn_bytes = 0;
    }
  }
  return out;
}

Reader::Reader(os::File file, FileShape shape) : file_(std::move(file)), shape_(std::move(shape)) {}

Result<Reader> Reader::open(const os::Path& path) {
  CALLVAULT_TRY_ASSIGN(os::File file, os::File::open_read(path, os::Links::refuse));
  return from(std::move(file));
}

Result<Reader> Reader::from(os::File file) {
  CALLVAULT_TRY_ASSIGN(FileShape shape, examine(file));
  return Reader(std::move(file), std::move(shape));
}

Result<Trailer> Reader::read_trailer(const Key& recording_secret) {
  CALLVAULT_TRY_ASSIGN(const Trailer trailer, trailer_of(file_, shape_, recording_secret));
  interrupted_ = trailer.interrupted;
  return trailer;
}

bool Reader::open_one(const Key& key, std::uint64_t number, ByteView sealed, MutableBytes out) const {
  if (number + 1 < chunk_count()) return crypto::open_chunk(key, number, false, sealed, out);
  if (crypto::open_chunk(key, number, true, sealed, out)) return true;
  // Cut off by a crash: any chunk may then be the final one.
  return (!finished() || interrupted_) && crypto::open_chunk(key, number, false, sealed, out);
}

Result<void> Reader::read_chunks(const Key& audio_key, std::uint64_t first, std::uint64_t count, MutableBytes out) {
  if (first > chunk_count() || count > chunk_count() - first || out.size() != count * kChunkBytes)
    return fail(Errc::unexpected, "asked for chunks that are not there: " + file_.path().string());
  std::uint64_t done = 0;
  // Nobody makes a finished file shorter, so its chunks can be opened where they lie.
  while (finished() && count - done >= kMinWindowChunks) {
    const std::uint64_t chunks = std::min(kWindowChunks, count - done);
    const auto window = os::MappedWindow::open(file_, header().header_bytes() + (first + done) * kSealedChunkBytes,
                                               static_cast<std::size_t>(chunks * kSealedChunkBytes));
    if (!window && window.error().code == Errc::refused) break;
    if (!window) return window.error();
    CALLVAULT_TRY(open_chunks(audio_key, first + done, window->bytes(), out.subspan(done * kChunkBytes)));
    done += chunks;
  }
  while (done < count) {
    const std::uint64_t chunks = std::min(kBatchChunks, count - done);
    CALLVAULT_TRY_ASSIGN(const ByteView batch, load_chunks(file_, header(), first + done, chunks, buffer_));
    CALLVAULT_TRY(open_chunks(audio_key, first + done, batch, out.subspan(done * kChunkBytes)));
    done += chunks;
  }
  return {};
}

Result<void> Reader::open_chunks(const Key& audio_key, std::uint64_t first, ByteView sealed, MutableBytes out) const {
  for (std::uint64_t i = 0; i * kSealedChunkBytes < sealed.size(); ++i) {
    const auto chunk = sealed.subspan(i * kSealedChunkBytes, kSealedChunkBytes);
    if (!open_one(audio_key, first + i, chunk, out.subspan(i * kChunkBytes, kChunkBytes)))
      return damaged(header(), first + i);
  }
  return {};
}

Result<std::uint64_t> Reader::authenticated_prefix(const Key& audio_key) {
  std::array<std::byte, kChunkBytes> plain;
  std::uint64_t good = 0;
  for (std::uint64_t at = 0; at < chunk_count() && good == at; at += kBatchChunks) {
    const std::uint64_t batch_chunks = std::min(kBatchChunks, chunk_count() - at);
    CALLVAULT_TRY_ASSIGN(const ByteView batch, load_chunks(file_, header(), at, batch_chunks, buffer_));
    for (std::uint64_t i = 0; i < batch_chunks && good == at + i; ++i)
      if (open_one(audio_key, good, batch.subspan(i * kSealedChunkBytes, kSealedChunkBytes), plain)) ++good;
  }
  crypto::wipe(plain);
  return good;
}

Result<Digest> Reader::hash_chunks() { return hash_chunks_of(file_, header(), chunk_count(), buffer_); }

Result<Trailer> recover_trailer(os::File& file, const Key& recording_secret) {
  CALLVAULT_TRY_ASSIGN(const FileShape shape, examine(file));
  Bytes buffer;
  if (shape.finished) {
    auto found = fitting_trailer(file, shape, recording_secret, buffer);
    if (found || found.error().code != Errc::corrupt) return found;
  }
  CALLVAULT_TRY_ASSIGN(const CallMetadata metadata, open_metadata(shape.header, recording_secret));
  CALLVAULT_TRY_ASSIGN(const Time changed, os::changed_at(file.path()));

  Trailer trailer;
  trailer.interrupted = true;
  CALLVAULT_TRY_ASSIGN(trailer.chunks, chunks_with_content(file, shape, buffer));
  CALLVAULT_TRY_ASSIGN(trailer.chunk_hash, hash_chunks_of(file, shape.header, trailer.chunks, buffer));
  estimate_times(trailer, metadata, changed);

  CALLVAULT_TRY_ASSIGN(const TrailerBytes bytes, seal_trailer(shape.header, recording_secret, trailer));
  const std::uint64_t end = shape.header.header_bytes() + trailer.chunks * kSealedChunkBytes;
  // Cut first: a trailer that does not stand at the end is none.
  if (end < shape.file_bytes) CALLVAULT_TRY(file.truncate(end));
  CALLVAULT_TRY(file.write_at(bytes, end));
  CALLVAULT_TRY(file.sync_data());
  return trailer;
}

Result<Trailer> recover_trailer(const os::Path& path, const Key& recording_secret) {
  CALLVAULT_TRY_ASSIGN(os::File file, os::File::open_write(path));
  return recover_trailer(file, recording_secret);
}

Result<Inspection> inspect(const os::Path& path) {
  CALLVAULT_TRY_ASSIGN(const os::File file, os::File::open_read(path));
  CALLVAULT_TRY_ASSIGN(const FileShape shape, examine(file));
  Inspection out;
  out.format_version = kVersion;
  out.id = shape.header.id;
  out.track = shape.header.track;
  out.segment = shape.header.segment;
  out.intake_key = shape.header.intake_key;
  out.review_key = shape.header.review_key;
  out.header_bytes = shape.header.header_bytes();
  out.chunks = shape.chunks;
  out.file_bytes = shape.file_bytes;
  out.finished = shape.finished;
  out.torn_bytes = shape.torn_bytes;
  return out;
}

}  // namespace callvault::sealed
