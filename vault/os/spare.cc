#include "os/spare.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace callvault::os {
namespace {

// Whether the file has the room now. What an incomplete attempt took is given back.
Result<bool> enlarge(File& file, std::uint64_t before, std::uint64_t size) {
  int error = EINTR;
  while (error == EINTR) error = ::posix_fallocate(file.fd(), 0, static_cast<off_t>(size));
  if (error == 0) return true;
  CALLVAULT_TRY(file.truncate(before));
  if (error == ENOSPC || error == EDQUOT || error == EFBIG) return false;
  return system_error(error, "cannot set room aside in", file.path());
}

// As if it were made where it goes. False where this user may not.
bool take_group_of(const File& file, const Path& folder) {
  struct stat there {};
  if (::stat(folder.c_str(), &there) != 0) return false;
  return (there.st_mode & S_ISGID) == 0 || ::fchown(file.fd(), static_cast<uid_t>(-1), there.st_gid) == 0;
}

Result<void> fill(File& file, const Path& path, ByteView data, unsigned mode) {
  CALLVAULT_TRY(file.write_at(data, 0));
  CALLVAULT_TRY(file.truncate(data.size()));
  CALLVAULT_TRY(file.set_mode(mode));
  CALLVAULT_TRY(file.sync_all());
  return rename_file(file.path(), path);
}

}  // namespace

Result<void> SpareFiles::refill(std::span<const std::uint64_t> sizes) const {
  CALLVAULT_TRY(make_folder(folder_));
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    CALLVAULT_TRY_ASSIGN(File file, File::open_or_create(folder_ / std::to_string(i)));
    CALLVAULT_TRY_ASSIGN(const auto before, file.size());
    CALLVAULT_TRY_ASSIGN(const auto allocated, file.allocated());
    if (before >= sizes[i] && allocated >= sizes[i]) continue;
    CALLVAULT_TRY_ASSIGN(const bool done, enlarge(file, before, sizes[i]));
    if (!done) return {};
  }
  return {};
}

Result<std::size_t> SpareFiles::count(std::span<const std::uint64_t> sizes) const {
  std::size_t out = 0;
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    const auto file = File::open_read(folder_ / std::to_string(i));
    if (!file && file.error().code == Errc::not_found) continue;
    if (!file) return file.error();
    CALLVAULT_TRY_ASSIGN(const auto size, file->size());
    CALLVAULT_TRY_ASSIGN(const auto allocated, file->allocated());
    if (std::min(size, allocated) >= sizes[i]) ++out;
  }
  return out;
}

Result<bool> SpareFiles::use(const Path& path, ByteView data, unsigned mode) const {
  auto names = list_folder(folder_);
  if (!names && names.error().code == Errc::not_found) return false;
  if (!names) return std::move(names).error();
  std::optional<File> best;
  std::uint64_t best_size = 0;
  for (const auto& name : *names) {
    CALLVAULT_TRY_ASSIGN(File file, File::open_write(folder_ / name));
    CALLVAULT_TRY_ASSIGN(const auto size, file.size());
    if (size < data.size() || size == 0 || (best && best_size <= size)) continue;
    best = std::move(file);
    best_size = size;
  }
  if (!best || !take_group_of(*best, path.parent_path())) return false;
  auto done = fill(*best, path, data, mode);
  // What failed to be written or synced is never believed again.
  if (!done) (void)remove_file(best->path());
  CALLVAULT_TRY(std::move(done));
  return true;
}

}  // namespace callvault::os
