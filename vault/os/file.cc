#include "os/file.h"

#include <dirent.h>
#include <fcntl.h>
#include <grp.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>

#include "os/spare.h"

namespace callvault::os {
namespace {

template <typename Call>
auto retrying(Call call) {
  auto result = call();
  while (result < 0 && errno == EINTR) result = call();
  return result;
}

Result<File> open_with(const Path& path, int flags, unsigned mode, const char* what) {
  const int fd = retrying([&] { return ::open(path.c_str(), flags | O_CLOEXEC | O_NOCTTY, mode); });
  if (fd < 0) return system_error(errno, what, path);
  return File(fd, path);
}

Error not_regular(const Path& path) { return fail(Errc::corrupt, "not a regular file: " + path.string()); }

// Without waiting: a pipe of that name must not stop anybody.
Result<File> open_regular(const Path& path, int flags, Links links, const char* what) {
  const int no_link = links == Links::refuse ? O_NOFOLLOW : 0;
  const int fd = retrying([&] { return ::open(path.c_str(), flags | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | no_link); });
  if (fd < 0 && (errno == EISDIR || errno == ENXIO || (errno == ELOOP && no_link != 0))) return not_regular(path);
  if (fd < 0) return system_error(errno, what, path);
  File file(fd, path);
  struct stat st {};
  if (::fstat(fd, &st) < 0) return system_error(errno, "cannot examine", path);
  if (!S_ISREG(st.st_mode)) return not_regular(path);
  return file;
}

Result<void> write_plainly(const Path& path, ByteView data, unsigned mode) {
  CALLVAULT_TRY_ASSIGN(File file, File::create(path, mode));
  CALLVAULT_TRY(file.write_at(data, 0));
  return file.sync_all();
}

// A name beside `path` that no other process uses.
Path sibling_of(const Path& path) {
  Path out = path;
  out += ".new-" + std::to_string(::getpid());
  return out;
}

}  // namespace

Error system_error(int number, const std::string& what, const Path& path) {
  Errc code = Errc::io;
  if (number == ENOSPC || number == EDQUOT) code = Errc::no_space;
  if (number == ENOENT) code = Errc::not_found;
  if (number == EACCES || number == EPERM) code = Errc::refused;
  return Error{code, what + " " + path.string() + ": " + std::strerror(number)};
}

File::File(File&& other) noexcept : fd_(std::exchange(other.fd_, -1)), path_(std::move(other.path_)) {}

File& File::operator=(File&& other) noexcept {
  if (this != &other) {
    if (fd_ >= 0) ::close(fd_);
    fd_ = std::exchange(other.fd_, -1);
    path_ = std::move(other.path_);
  }
  return *this;
}

File::~File() {
  if (fd_ >= 0) ::close(fd_);
}

Result<File> File::open_read(const Path& path, Links links) {
  return open_regular(path, O_RDONLY, links, "cannot open");
}
Result<File> File::open_write(const Path& path, Links links) {
  return open_regular(path, O_RDWR, links, "cannot open for writing");
}
Result<File> File::open_any(const Path& path) { return open_with(path, O_RDONLY, 0, "cannot open"); }
Result<File> File::create(const Path& path, unsigned mode) {
  return open_with(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, mode, "cannot create");
}
Result<File> File::open_or_create(const Path& path, unsigned mode) {
  return open_with(path, O_RDWR | O_CREAT | O_NOFOLLOW, mode, "cannot open or create");
}

Result<std::size_t> File::read_at(MutableBytes out, std::uint64_t offset) const {
  std::size_t done = 0;
  while (done < out.size()) {
    const auto n =
        retrying([&] { return ::pread(fd_, out.data() + done, out.size() - done, static_cast<off_t>(offset + done)); });
    if (n < 0) return system_error(errno, "cannot read", path_);
    if (n == 0) break;
    done += static_cast<std::size_t>(n);
  }
  return done;
}

Result<void> File::write_at(ByteView data, std::uint64_t offset) {
  std::size_t done = 0;
  while (done < data.size()) {
    const auto n = retrying(
        [&] { return ::pwrite(fd_, data.data() + done, data.size() - done, static_cast<off_t>(offset + done)); });
    if (n < 0) return system_error(errno, "cannot write", path_);
    if (n == 0) return system_error(EIO, "cannot write", path_);
    done += static_cast<std::size_t>(n);
  }
  return {};
}

Result<void> File::sync_data() {
  if (retrying([&] { return ::fdatasync(fd_); }) < 0) return system_error(errno, "cannot sync", path_);
  return {};
}

Result<void> File::sync_all() {
  if (retrying([&] { return ::fsync(fd_); }) < 0) return system_error(errno, "cannot sync", path_);
  return {};
}

Result<void> File::truncate(std::uint64_t size) {
  if (retrying([&] { return ::ftruncate(fd_, static_cast<off_t>(size)); }) < 0)
    return system_error(errno, "cannot truncate", path_);
  return {};
}

Result<std::uint64_t> File::size() const {
  struct stat st {};
  if (::fstat(fd_, &st) < 0) return system_error(errno, "cannot examine", path_);
  return static_cast<std::uint64_t>(st.st_size);
}

Result<std::uint64_t> File::allocated() const {
  constexpr std::uint64_t kBlock = 512;  // stat(2)
  struct stat st {};
  if (::fstat(fd_, &st) < 0) return system_error(errno, "cannot examine", path_);
  return static_cast<std::uint64_t>(st.st_blocks) * kBlock;
}

Result<void> File::reserve(std::uint64_t offset, std::uint64_t bytes) {
  const auto call = [&] {
    return ::fallocate(fd_, FALLOC_FL_KEEP_SIZE, static_cast<off_t>(offset), static_cast<off_t>(bytes));
  };
  if (bytes == 0 || retrying(call) == 0 || errno == EOPNOTSUPP) return {};
  return system_error(errno, "cannot write", path_);
}

void File::keep_room(std::uint64_t bytes) {
  const auto end = size(), has = allocated();
  if (end && has && *has < *end + bytes / 2) (void)reserve(*end, bytes);
}

Result<void> File::set_mode(unsigned mode) {
  if (::fchmod(fd_, mode) < 0) return system_error(errno, "cannot set the permissions of", path_);
  return {};
}

Result<bool> File::try_lock_exclusive() {
  if (retrying([&] { return ::flock(fd_, LOCK_EX | LOCK_NB); }) == 0) return true;
  if (errno == EWOULDBLOCK) return false;
  return system_error(errno, "cannot lock", path_);
}

Result<bool> File::try_lock_shared() {
  if (retrying([&] { return ::flock(fd_, LOCK_SH | LOCK_NB); }) == 0) return true;
  if (errno == EWOULDBLOCK) return false;
  return system_error(errno, "cannot lock", path_);
}

Result<Bytes> read_file(const Path& path, std::uint64_t max_bytes) {
  CALLVAULT_TRY_ASSIGN(const File file, File::open_read(path));
  CALLVAULT_TRY_ASSIGN(const auto size, file.size());
  if (size > max_bytes) return fail(Errc::corrupt, "larger than it can be: " + path.string());
  Bytes out(size);
  CALLVAULT_TRY_ASSIGN(const auto got, file.read_at(out, 0));
  out.resize(got);
  return out;
}

Result<void> write_new_file(const Path& path, ByteView data, unsigned mode, const SpareFiles* spare) {
  auto written = write_plainly(path, data, mode);
  if (written || spare == nullptr || written.error().code != Errc::no_space) return written;
  CALLVAULT_TRY(remove_file(path));
  CALLVAULT_TRY_ASSIGN(const bool used, spare->use(path, data, mode));
  return used ? Result<void>() : written;
}

Result<void> replace_file(const Path& path, ByteView data, unsigned mode, const SpareFiles* spare) {
  const Path fresh = sibling_of(path);
  CALLVAULT_TRY(remove_file(fresh));
  if (auto written = write_new_file(fresh, data, mode, spare); !written) {
    (void)::unlink(fresh.c_str());
    return written;
  }
  if (auto renamed = rename_file(fresh, path); !renamed) {
    (void)::unlink(fresh.c_str());
    return renamed;
  }
  return sync_folder(path.parent_path());
}

Result<void> replace_derived_file(const Path& path, ByteView data, unsigned mode) {
  const Path fresh = sibling_of(path);
  CALLVAULT_TRY(remove_file(fresh));
  auto done = [&]() -> Result<void> {
    CALLVAULT_TRY_ASSIGN(File file, File::create(fresh, mode));
    CALLVAULT_TRY(file.write_at(data, 0));
    return rename_file(fresh, path);
  }();
  if (!done) (void)::unlink(fresh.c_str());
  return done;
}

Result<void> sync_folder(const Path& folder) {
  CALLVAULT_TRY_ASSIGN(File dir, open_with(folder, O_RDONLY | O_DIRECTORY, 0, "cannot open folder"));
  return dir.sync_all();
}

Result<void> make_folder(const Path& folder, unsigned mode) {
  if (::mkdir(folder.c_str(), mode) == 0) return {};
  struct stat st {};
  if (errno == EEXIST && ::stat(folder.c_str(), &st) == 0 && S_ISDIR(st.st_mode)) return {};
  return system_error(errno, "cannot make folder", folder);
}

Result<void> rename_file(const Path& from, const Path& to) {
  if (::rename(from.c_str(), to.c_str()) < 0)
    return system_error(errno, "cannot rename to " + to.string() + " from", from);
  return {};
}

Result<bool> remove_file(const Path& path) {
  if (::unlink(path.c_str()) == 0) return true;
  if (errno == ENOENT) return false;
  return system_error(errno, "cannot remove", path);
}

Result<void> remove_folder(const Path& folder) {
  if (::rmdir(folder.c_str()) < 0) return system_error(errno, "cannot remove folder", folder);
  return {};
}

Result<bool> remove_if_empty(const Path& folder) {
  if (::rmdir(folder.c_str()) == 0 || errno == ENOENT) return true;
  if (errno == ENOTEMPTY || errno == EEXIST) return false;
  return system_error(errno, "cannot remove folder", folder);
}

bool exists(const Path& path) {
  struct stat st {};
  return ::lstat(path.c_str(), &st) == 0;
}

Result<bool> is_there(const Path& path) {
  struct stat st {};
  if (::lstat(path.c_str(), &st) == 0) return true;
  if (errno == ENOENT) return false;
  return system_error(errno, "cannot examine", path);
}

Result<unsigned> owner_of(const Path& path) {
  struct stat st {};
  if (::lstat(path.c_str(), &st) != 0) return system_error(errno, "cannot examine", path);
  return static_cast<unsigned>(st.st_uid);
}

Result<std::uint64_t> size_of(const Path& path) {
  struct stat st {};
  if (::stat(path.c_str(), &st) != 0) return system_error(errno, "cannot examine", path);
  return static_cast<std::uint64_t>(st.st_size);
}

Result<bool> has_group_of_folder(const Path& path) {
  struct stat file {
  }, folder{};
  if (::stat(path.c_str(), &file) != 0) return system_error(errno, "cannot examine", path);
  if (::stat(path.parent_path().c_str(), &folder) != 0)
    return system_error(errno, "cannot examine", path.parent_path());
  return (folder.st_mode & S_ISGID) == 0 || file.st_gid == folder.st_gid;
}

Result<void> set_group_of_folder(const Path& path) {
  CALLVAULT_TRY_ASSIGN(const bool same, has_group_of_folder(path));
  if (same) return {};
  struct stat folder {};
  if (::stat(path.parent_path().c_str(), &folder) != 0 ||
      ::chown(path.c_str(), static_cast<uid_t>(-1), folder.st_gid) != 0)
    return system_error(errno, "cannot set the group of", path);
  return {};
}

Result<void> make_accessible_as(const Path& path, const Path& model) {
  struct stat known {
  }, mine{};
  if (::stat(model.c_str(), &known) != 0) return system_error(errno, "cannot examine", model);
  if (::stat(path.c_str(), &mine) != 0) return system_error(errno, "cannot examine", path);
  if (mine.st_gid != known.st_gid && ::chown(path.c_str(), static_cast<uid_t>(-1), known.st_gid) != 0)
    return system_error(errno, "cannot set the group of", path);
  return set_mode(path, static_cast<unsigned>(known.st_mode & 07777));
}

Result<std::uint64_t> free_bytes(const Path& path) {
  struct statvfs fs {};
  if (::statvfs(path.c_str(), &fs) != 0) return system_error(errno, "cannot examine the disk of", path);
  return std::uint64_t{fs.f_frsize} * (::geteuid() == 0 ? fs.f_bfree : fs.f_bavail);
}

Result<unsigned> mode_of(const Path& path) {
  struct stat st {};
  if (::stat(path.c_str(), &st) < 0) return system_error(errno, "cannot examine", path);
  return static_cast<unsigned>(st.st_mode & 07777);
}

Result<void> set_mode(const Path& path, unsigned mode) {
  if (::chmod(path.c_str(), mode) < 0) return system_error(errno, "cannot set the permissions of", path);
  return {};
}

Result<void> set_group(const Path& path, const std::string& group) {
  const struct group* entry = ::getgrnam(group.c_str());
  if (entry == nullptr) return fail(Errc::usage, "no such group: " + group);
  if (::chown(path.c_str(), static_cast<uid_t>(-1), entry->gr_gid) < 0)
    return system_error(errno, "cannot give to group " + group + ":", path);
  return {};
}

Result<Time> changed_at(const Path& path) {
  struct stat st {};
  if (::stat(path.c_str(), &st) < 0) return system_error(errno, "cannot examine", path);
  return Time(std::chrono::milliseconds(st.st_mtim.tv_sec * 1000 + st.st_mtim.tv_nsec / 1'000'000));
}

Result<std::vector<std::string>> list_folder(const Path& folder) {
  const std::unique_ptr<DIR, int (*)(DIR*)> dir(::opendir(folder.c_str()), &::closedir);
  if (!dir) return system_error(errno, "cannot list", folder);
  std::vector<std::string> names;
  errno = 0;
  while (const dirent* entry = ::readdir(dir.get())) {
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
  }
  if (errno != 0) return system_error(errno, "cannot list", folder);
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace callvault::os
