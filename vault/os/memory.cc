#include "os/memory.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>

namespace callvault::os {

std::size_t page_bytes() {
  static const auto bytes = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  return bytes;
}

Result<MutableBytes> map_locked(std::size_t bytes) {
  const std::size_t page = page_bytes();
  const std::size_t whole = (std::max<std::size_t>(bytes, 1) + page - 1) / page * page;
  void* at = ::mmap(nullptr, whole, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (at == MAP_FAILED) return fail(Errc::unexpected, "out of memory for secrets");
  if (::mlock(at, whole) != 0) {
    const std::string why = std::strerror(errno);
    ::munmap(at, whole);
    return fail(Errc::unexpected, "cannot lock " + std::to_string(whole) + " bytes of memory for secrets (" + why +
                                      "); raise the limit on locked memory");
  }
  (void)::madvise(at, whole, MADV_DONTDUMP);
  (void)::madvise(at, whole, MADV_WIPEONFORK);
  return MutableBytes(static_cast<std::byte*>(at), whole);
}

void unmap_locked(MutableBytes pages) {
  if (!pages.empty()) ::munmap(pages.data(), pages.size());
}

}  // namespace callvault::os
