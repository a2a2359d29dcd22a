#include "os/copy.h"

#include <grp.h>
#include <sys/stat.h>

#include <algorithm>

namespace callvault::os {
namespace {

constexpr std::size_t kCopyChunk = std::size_t{1} << 17;

Path copying_name(const Path& to) {
  Path out = to;
  out += kCopyingSuffix;
  return out;
}

Result<CopyResult> copy_content(const File& source, File& target) {
  CopyResult out;
  Bytes chunk(kCopyChunk);
  for (;;) {
    const auto got = source.read_at(chunk, out.bytes);
    if (!got) return CopyResult{0, got.error()};
    if (*got == 0) break;
    CALLVAULT_TRY(target.write_at(ByteView(chunk).first(*got), out.bytes));
    out.bytes += *got;
  }
  CALLVAULT_TRY(target.sync_all());
  return out;
}

}  // namespace

Result<CopyResult> copy_file(const Path& from, const Path& to, unsigned mode) {
  const auto source = File::open_read(from);
  if (!source) return CopyResult{0, source.error()};
  const Path fresh = copying_name(to);
  CALLVAULT_TRY(remove_file(fresh));
  auto copied = [&]() -> Result<CopyResult> {
    CALLVAULT_TRY_ASSIGN(File target, File::create(fresh, mode));
    return copy_content(*source, target);
  }();
  if (!copied || copied->unreadable) {
    (void)remove_file(fresh);
    return copied;
  }
  CALLVAULT_TRY(rename_file(fresh, to));
  return copied;
}

Result<void> place_file(const Path& to, ByteView data, unsigned mode) {
  const Path fresh = copying_name(to);
  CALLVAULT_TRY(remove_file(fresh));
  if (auto written = write_new_file(fresh, data, mode); !written) {
    (void)remove_file(fresh);
    return written;
  }
  return rename_file(fresh, to);
}

Result<bool> same_content(const Path& a, const Path& b) {
  CALLVAULT_TRY_ASSIGN(const File one, File::open_read(a));
  CALLVAULT_TRY_ASSIGN(const File two, File::open_read(b));
  Bytes left(kCopyChunk), right(kCopyChunk);
  for (std::uint64_t at = 0;; at += kCopyChunk) {
    CALLVAULT_TRY_ASSIGN(const auto got, one.read_at(left, at));
    CALLVAULT_TRY_ASSIGN(const auto other, two.read_at(right, at));
    if (got != other || !std::equal(left.begin(), left.begin() + static_cast<std::ptrdiff_t>(got), right.begin()))
      return false;
    if (got < kCopyChunk) return true;
  }
}

Result<std::optional<std::string>> group_with_access(const Path& folder) {
  struct stat st {};
  if (::stat(folder.c_str(), &st) != 0) return system_error(errno, "cannot examine", folder);
  if ((st.st_mode & S_IRWXG) == 0) return std::optional<std::string>();
  const struct group* entry = ::getgrgid(st.st_gid);
  return entry == nullptr ? std::optional<std::string>() : std::optional<std::string>(entry->gr_name);
}

}  // namespace callvault::os
