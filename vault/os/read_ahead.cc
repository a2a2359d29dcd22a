#include "os/read_ahead.h"

#include <fcntl.h>

namespace callvault::os {

void read_ahead(const File& file, std::uint64_t offset, std::uint64_t bytes) {
  (void)::posix_fadvise(file.fd(), static_cast<off_t>(offset), static_cast<off_t>(bytes), POSIX_FADV_WILLNEED);
}

void read_ahead(const Path& path, std::uint64_t bytes) {
  if (const auto file = File::open_read(path, Links::refuse)) read_ahead(*file, 0, bytes);
}

}  // namespace callvault::os
