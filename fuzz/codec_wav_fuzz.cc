// The first byte chooses the format that is asked for, and pipe or file; the rest is the input.
#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "codec/pcm_source.h"

using namespace callvault;

// libsndfile 1.2.0 forgets 6 kB when it gives up on a damaged Ogg Vorbis header.
extern "C" const char* __lsan_default_suppressions() { return "leak:vorbis_info_init\n"; }

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1 || size > 60000) return 0;  // a pipe takes that much at once
  const std::uint8_t choice = data[0];
  int fd = -1;
  if ((choice & 8) != 0) {
    fd = ::memfd_create("input", MFD_CLOEXEC);
    if (::write(fd, data + 1, size - 1) < 0 || ::lseek(fd, 0, SEEK_SET) < 0) std::abort();
  } else {
    int ends[2];
    if (::pipe(ends) != 0 || ::write(ends[1], data + 1, size - 1) < 0) std::abort();
    ::close(ends[1]);
    fd = ends[0];
  }
  codec::SourceOptions options;
  options.audio.format = static_cast<InputFormat>((choice & 7) % 5);
  if ((choice & 16) != 0) options.audio.channels = ChannelMap::caller_agent;
  options.fd = fd;
  if (auto source = codec::open_source(std::move(options))) {
    if ((*source)->channels() < 1 || (*source)->channels() > 2) std::abort();
    std::vector<std::int16_t> block(1920);
    // Compressed kinds may hold far more than they are long: an end is not awaited.
    for (int i = 0; i < 2000; ++i) {
      const auto got = (*source)->read(block);
      if (!got || *got == 0) break;
      if (*got > block.size() / (*source)->channels()) std::abort();
    }
    static_cast<void>((*source)->truncated());
  }
  ::close(fd);
  return 0;
}
