#include "os/mapped_window.h"

#include <sys/mman.h>

#include <cerrno>

#include "os/memory.h"

namespace callvault::os {
namespace {

#ifdef MADV_POPULATE_READ
constexpr int kPopulateRead = MADV_POPULATE_READ;
#else
constexpr int kPopulateRead = 22;  // Linux 5.14
#endif

}  // namespace

Result<MappedWindow> MappedWindow::open(const File& file, std::uint64_t offset, std::size_t bytes) {
  const auto askew = static_cast<std::size_t>(offset % page_bytes());
  const std::size_t length = askew + bytes;
  void* const start = ::mmap(nullptr, length, PROT_READ, MAP_SHARED, file.fd(), static_cast<off_t>(offset - askew));
  if (start == MAP_FAILED) return fail(Errc::refused, "cannot map " + file.path().string());
  MappedWindow out(start, length, ByteView(static_cast<const std::byte*>(start), length).subspan(askew));
  if (::madvise(start, length, kPopulateRead) != 0) {
    if (errno == EINVAL || errno == ENOSYS) return fail(Errc::refused, "cannot map " + file.path().string());
    return system_error(EIO, "cannot read", file.path());
  }
  return out;
}

MappedWindow::MappedWindow(MappedWindow&& other) noexcept
    : start_(std::exchange(other.start_, nullptr)), length_(other.length_), bytes_(other.bytes_) {}

MappedWindow::~MappedWindow() {
  if (start_ != nullptr) ::munmap(start_, length_);
}

}  // namespace callvault::os
