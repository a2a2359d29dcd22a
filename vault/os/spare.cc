#include "os/spare.h"

#include <fcntl.h>

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

}  // namespace

Result<void> SpareFiles::refill(std::span<const std::uint64_t> sizes) const {
  CALLVAULT_TRY(make_folder(folder_));
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    CALLVAULT_TRY_ASSIGN(File file, File::open_or_create(folder_ / std::to_string(i)));
    CALLVAULT_TRY_ASSIGN(const auto before, file.size());
    if (before >= sizes[i]) continue;
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
    if (size >= sizes[i]) ++out;
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
  if (!best) return false;
  CALLVAULT_TRY(best->write_at(data, 0));
  CALLVAULT_TRY(best->truncate(data.size()));
  CALLVAULT_TRY(best->set_mode(mode));
  CALLVAULT_TRY(best->sync_all());
  CALLVAULT_TRY(rename_file(best->path(), path));
  return true;
}

}  // namespace callvault::os
