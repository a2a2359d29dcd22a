// A sound header with the input behind it, read in every way there is. The first byte says how much of a sound file's
// body stands before the rest of the input, so that trailers and whole chunks are reached.
#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>
#include <optional>

#include "crypto/aead.h"
#include "crypto/random.h"
#include "sealed/reader.h"

using namespace callvault;

namespace {

struct Sound {
  crypto::Key recording, track;
  sealed::NewHeader header;
  base::Bytes file;  // header, four chunks, trailer
};

Result<Sound> make_sound() {
  CALLVAULT_TRY(crypto::ready());
  CALLVAULT_TRY_ASSIGN(const auto pair, crypto::make_key_pair());
  CALLVAULT_TRY_ASSIGN(auto recording, crypto::Key::random());
  CALLVAULT_TRY_ASSIGN(auto track, crypto::Key::random());
  CALLVAULT_TRY_ASSIGN(auto first, recording.clone());
  CALLVAULT_TRY_ASSIGN(auto second, track.clone());
  sealed::CallMetadata metadata;
  metadata.tracks = {TrackName::mixed};
  CALLVAULT_TRY_ASSIGN(auto header, sealed::make_header({}, {pair.public_key, recording, pair.public_key}, metadata,
                                                        {std::move(first), std::move(second)}));
  base::Bytes file = header.header.raw;
  base::Bytes chunks;
  for (std::uint64_t n = 0; n < 4; ++n) {
    base::Bytes chunk(sealed::kSealedChunkBytes);
    crypto::seal_chunk(header.audio_key, n, n == 3, base::Bytes(sealed::kChunkBytes), chunk);
    chunks.insert(chunks.end(), chunk.begin(), chunk.end());
  }
  sealed::Trailer trailer;
  trailer.chunks = 4;
  trailer.chunk_hash = crypto::blake2b(chunks);
  CALLVAULT_TRY_ASSIGN(const auto end, sealed::seal_trailer(header.header, recording, trailer));
  file.insert(file.end(), chunks.begin(), chunks.end());
  file.insert(file.end(), end.begin(), end.end());
  return Sound{std::move(recording), std::move(track), std::move(header), std::move(file)};
}

// The reader follows no link, and this path is one.
Result<sealed::Reader> open_again(const os::File& file) {
  CALLVAULT_TRY_ASSIGN(os::File opened, os::File::open_read(file.path()));
  return sealed::Reader::from(std::move(opened));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto sound = make_sound();
  if (!sound || size == 0 || size > 64 * 1024) return 0;
  const std::size_t header_bytes = sound->header.header.raw.size();
  const std::size_t kept = header_bytes + (sound->file.size() - header_bytes) * data[0] / 255;
  base::Bytes bytes(sound->file.begin(), sound->file.begin() + static_cast<std::ptrdiff_t>(kept));
  const auto rest = std::as_bytes(std::span(data, size)).subspan(1);
  bytes.insert(bytes.end(), rest.begin(), rest.end());
  const int fd = ::memfd_create("sealed", MFD_CLOEXEC);
  os::File file(fd, "/proc/self/fd/" + std::to_string(fd));
  if (!file.write_at(bytes, 0)) return 0;

  auto view = open_again(file);
  if (!view) std::abort();
  const std::uint64_t sound_chunks = std::min<std::uint64_t>((kept - header_bytes) / sealed::kSealedChunkBytes, 4);
  const auto prefix = view->authenticated_prefix(sound->header.audio_key);
  // Input cannot authenticate; what stands before it must, but for the last chunk when more chunks follow.
  if (!prefix || *prefix > 4 || *prefix + 1 < sound_chunks) std::abort();
  const auto trailer = view->read_trailer(sound->recording);
  if (trailer && (!rest.empty() || kept != sound->file.size())) std::abort();
  base::Bytes out(view->chunk_count() * sealed::kChunkBytes);
  const bool all = view->read_chunks(sound->header.audio_key, 0, view->chunk_count(), out).has_value();
  if (all != (*prefix == view->chunk_count())) std::abort();
  if (!view->hash_chunks()) std::abort();

  const auto recovered = sealed::recover_trailer(file, sound->recording);
  if (!recovered) return 0;
  auto again = open_again(file);
  if (!again || !again->finished()) std::abort();
  const auto read_back = again->read_trailer(sound->recording);
  const auto hash = again->hash_chunks();
  if (!read_back || !(*read_back == *recovered) || !hash || *hash != recovered->chunk_hash) std::abort();
  return 0;
}
