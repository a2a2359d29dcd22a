#include "os/direct_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "os/memory.h"

namespace callvault::os {
namespace {

class OsDirectFile final : public DirectFile {
 public:
  OsDirectFile(File file, bool direct) : file_(std::move(file)), direct_(direct) {}

  Result<void> write(ByteView data, std::uint64_t offset) override {
    // The file was made whole once; growing it here would allocate blocks nobody looked at.
    CALLVAULT_TRY_ASSIGN(const auto size, file_.size());
    if (!growing_ && offset + data.size() > size) return fail(Errc::corrupt, "too short: " + path().string());
    CALLVAULT_TRY(file_.write_at(data, offset));
    if (direct_) return {};
    return drop_from_cache();
  }

  Result<void> read(MutableBytes out, std::uint64_t offset) override {
    CALLVAULT_TRY_ASSIGN(const auto got, file_.read_at(out, offset));
    if (got != out.size()) return fail(Errc::corrupt, "too short: " + path().string());
    return {};
  }

  const Path& path() const override { return file_.path(); }
  int fd() const override { return file_.fd(); }
  void allow_growth() { growing_ = true; }

 private:
  Result<void> drop_from_cache() {
    CALLVAULT_TRY(file_.sync_data());
    (void)::posix_fadvise(file_.fd(), 0, 0, POSIX_FADV_DONTNEED);
    return {};
  }

  File file_;
  bool direct_;
  bool growing_ = false;
};

// Until no signal comes in between.
int open_again(const Path& path, int flags, unsigned mode) {
  int fd = -1;
  do fd = ::open(path.c_str(), flags, mode);
  while (fd < 0 && errno == EINTR);
  return fd;
}

Result<std::unique_ptr<OsDirectFile>> open_with(const Path& path, int flags, unsigned mode, DirectFile::Way way) {
  const int common = O_RDWR | O_CLOEXEC | O_NOCTTY | O_NOFOLLOW | flags;
  int fd = open_again(path, common | O_DIRECT | O_DSYNC, mode);
  const int number = errno;
  if (fd >= 0) return std::make_unique<OsDirectFile>(File(fd, path), true);
  if (number != EINVAL) return system_error(number, "cannot open", path);
  if (way == DirectFile::Way::direct)
    return fail(Errc::refused, "the file system cannot write past its cache (O_DIRECT): " + path.string());
  // open(2) may have made the file before it refused the flag.
  fd = open_again(path, common & ~O_EXCL, mode);
  if (fd < 0) return system_error(errno, "cannot open", path);
  return std::make_unique<OsDirectFile>(File(fd, path), false);
}

}  // namespace

Result<BlockBuffer> BlockBuffer::make(std::size_t blocks) {
  CALLVAULT_TRY_ASSIGN(const MutableBytes pages, map_locked(blocks * kBlockBytes));
  return BlockBuffer(pages, blocks * kBlockBytes);
}

BlockBuffer::BlockBuffer(BlockBuffer&& other) noexcept
    : pages_(std::exchange(other.pages_, {})), size_(std::exchange(other.size_, 0)) {}

BlockBuffer& BlockBuffer::operator=(BlockBuffer&& other) noexcept {
  if (this != &other) {
    wipe();
    pages_ = std::exchange(other.pages_, {});
    size_ = std::exchange(other.size_, 0);
  }
  return *this;
}

BlockBuffer::~BlockBuffer() { wipe(); }

void BlockBuffer::wipe() {
  if (pages_.empty()) return;
  ::explicit_bzero(pages_.data(), pages_.size());
  unmap_locked(pages_);
  pages_ = {};
  size_ = 0;
}

Result<std::unique_ptr<DirectFile>> DirectFile::create(const Path& path, Way way, unsigned mode) {
  if (os::exists(path)) return system_error(EEXIST, "cannot create", path);
  CALLVAULT_TRY_ASSIGN(auto file, open_with(path, O_CREAT | O_EXCL, mode, way));
  file->allow_growth();
  return std::unique_ptr<DirectFile>(std::move(file));
}

Result<std::unique_ptr<DirectFile>> DirectFile::open(const Path& path, Way way) {
  CALLVAULT_TRY_ASSIGN(auto file, open_with(path, 0, 0, way));
  struct stat st {};
  if (::fstat(file->fd(), &st) != 0) return system_error(errno, "cannot examine", path);
  if (!S_ISREG(st.st_mode)) return fail(Errc::corrupt, "not a regular file: " + path.string());
  return std::unique_ptr<DirectFile>(std::move(file));
}

Result<void> DirectFile::write_verified(ByteView data, std::uint64_t offset) {
  CALLVAULT_TRY(write(data, offset));
  CALLVAULT_TRY_ASSIGN(BlockBuffer back, BlockBuffer::make(data.size() / kBlockBytes));
  CALLVAULT_TRY(read(back.reveal_mutable(), offset));
  if (std::memcmp(back.reveal().data(), data.data(), data.size()) != 0)
    return fail(Errc::io, "the device gave back something else than was written: " + path().string());
  return {};
}

}  // namespace callvault::os
