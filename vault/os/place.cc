#include "os/place.h"

#include <linux/fiemap.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <iterator>
#include <memory>
#include <optional>
#include <sstream>
#include <string_view>

#include "os/place_layers.h"

namespace callvault::os {
namespace {

constexpr std::size_t kMaxExtents = 256;
constexpr int kMaxLayers = 4;  // loop devices on loop devices

struct Unsound {
  std::string_view file_system, why;
};
constexpr Unsound kUnsound[] = {
    {"tmpfs", "lives in memory, which may be swapped out, and is lost at a restart"},
    {"ramfs", "lives in memory and is lost at a restart"},
    {"overlay", "may copy a file to another layer when it is written"},
    {"aufs", "may copy a file to another layer when it is written"},
    {"btrfs", "never overwrites in place: old keys stay on the disk"},
    {"bcachefs", "never overwrites in place: old keys stay on the disk"},
    {"zfs", "never overwrites in place: old keys stay on the disk"},
    {"f2fs", "writes to a log: old keys stay on the disk"},
    {"nilfs2", "writes to a log: old keys stay on the disk"},
    {"jffs2", "writes to a log: old keys stay on the disk"},
    {"ubifs", "writes to a log: old keys stay on the disk"},
    {"nfs", "is on another machine, which may keep snapshots"},
    {"nfs4", "is on another machine, which may keep snapshots"},
    {"cifs", "is on another machine, which may keep snapshots"},
    {"smb3", "is on another machine, which may keep snapshots"},
    {"ceph", "is on other machines, which may keep snapshots"},
    {"9p", "is on another machine, which may keep snapshots"},
    {"virtiofs", "is on another machine, which may keep snapshots"},
};
constexpr std::string_view kWhatToDo = "; put the keeper on ext4 (data=ordered) or xfs, or accept an unsafe keeper";

bool has_option(const Mount& mount, std::string_view option) {
  return std::find(mount.options.begin(), mount.options.end(), option) != mount.options.end();
}

bool is_ext(std::string_view name) { return name == "ext2" || name == "ext3" || name == "ext4"; }

// mountinfo leaves out what is a default of the super block (tune2fs -o journal_data); /proc/fs shows all of it.
bool journals_data(const Mount& mount) {
  if (has_option(mount, "data=journal")) return true;
  const Path device = block_device_name(mount.major, mount.minor);
  const std::string options = read_small("/proc/fs/" + mount.file_system + "/" + device.string() + "/options");
  std::istringstream lines(options);
  lines.exceptions(std::ios_base::badbit);  // a lack of memory is not the end
  for (std::string line; std::getline(lines, line);)
    if (line == "data=journal") return true;
  return false;
}

std::string judge_file_system(const Mount& mount) {
  const std::string& name = mount.file_system;
  for (const Unsound& known : kUnsound)
    if (name == known.file_system) return name + " " + std::string(known.why);
  if (name.starts_with("fuse")) return name + " is served by a program that may keep what it likes";
  if (is_ext(name))
    return journals_data(mount) ? name + " is mounted with data=journal: its journal keeps old keys" : "";
  if (name == "xfs") return "";
  return name + " is not known to overwrite in place";
}

std::string judge_attributes(int fd) {
  int flags = 0;
  if (::ioctl(fd, FS_IOC_GETFLAGS, &flags) != 0) return "";
  if ((flags & FS_JOURNAL_DATA_FL) != 0) return "its data is journalled (chattr +j): the journal keeps old keys";
  if ((flags & FS_COMPR_FL) != 0) return "it is compressed: it is not overwritten in place";
  return "";
}

std::string trouble_of(std::uint32_t flags) {
  if ((flags & FIEMAP_EXTENT_SHARED) != 0) return "shared with another file or a snapshot";
  if ((flags & FIEMAP_EXTENT_DELALLOC) != 0) return "not yet allocated";
  if ((flags & FIEMAP_EXTENT_UNKNOWN) != 0) return "in an unknown place";
  if ((flags & FIEMAP_EXTENT_DATA_INLINE) != 0) return "stored inside metadata";
  if ((flags & FIEMAP_EXTENT_DATA_TAIL) != 0) return "stored with the tails of other files";
  if ((flags & FIEMAP_EXTENT_ENCODED) != 0) return "encoded (compressed or encrypted by the file system)";
  if ((flags & FIEMAP_EXTENT_UNWRITTEN) != 0) return "allocated and never written";
  if ((flags & FIEMAP_EXTENT_NOT_ALIGNED) != 0) return "not aligned to blocks";
  return "";
}

Result<std::optional<Mount>> mount_of(const struct stat& st) {
  std::ifstream in("/proc/self/mountinfo", std::ios::binary);
  if (!in) return fail(Errc::io, "cannot read /proc/self/mountinfo");
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  std::optional<Mount> found;
  for (Mount& mount : parse_mountinfo(text))
    if (mount.major == major(st.st_dev) && mount.minor == minor(st.st_dev)) found = std::move(mount);
  return found;
}

// btrfs and overlay give files a device number that mountinfo does not know: the longest mount point above decides.
Result<std::optional<Mount>> mount_above(const Path& path) {
  std::ifstream in("/proc/self/mountinfo", std::ios::binary);
  if (!in) return fail(Errc::io, "cannot read /proc/self/mountinfo");
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  std::optional<Mount> found;
  for (Mount& mount : parse_mountinfo(text)) {
    const Path relative = path.lexically_relative(mount.mount_point);
    const bool above = !relative.empty() && *relative.begin() != "..";
    if (above && (!found || mount.mount_point.size() >= found->mount_point.size())) found = std::move(mount);
  }
  return found;
}

Result<PlaceReport> examine(const Path& asked, int layer) {
  std::error_code ec;
  Path path = std::filesystem::absolute(asked, ec).lexically_normal();
  if (path.filename().empty() && path.has_parent_path()) path = path.parent_path();
  struct stat st {};
  while (::stat(path.c_str(), &st) != 0) {
    if (errno != ENOENT || path == path.parent_path()) return system_error(errno, "cannot examine", path);
    path = path.parent_path();
  }
  path = std::filesystem::canonical(path, ec);
  if (ec) return system_error(ec.value(), "cannot examine", asked);

  CALLVAULT_TRY_ASSIGN(std::optional<Mount> mount, mount_of(st));
  if (!mount) {
    CALLVAULT_TRY_ASSIGN(mount, mount_above(path));
  }
  if (!mount) return fail(Errc::io, "no mounted file system is known for " + path.string());

  PlaceReport report;
  report.file_system = mount->file_system;
  report.mount_point = mount->mount_point;
  report.device = mount->device;
  report.medium = medium_of(mount->major, mount->minor);
  report.notes = notes_on_device(mount->major, mount->minor);
  std::string why = judge_file_system(*mount);

  if (S_ISREG(st.st_mode) || S_ISDIR(st.st_mode)) {
    CALLVAULT_TRY_ASSIGN(const File file, File::open_any(path));
    if (why.empty()) why = judge_attributes(file.fd());
    // A backing file below is judged by its file system: sparse ones are usual there.
    if (why.empty() && layer == 0 && S_ISREG(st.st_mode)) {
      auto layout = file_layout(file.fd(), path);
      if (!layout) return std::move(layout).error();
      if (!layout->trouble.empty()) why = "a part of the file on " + report.file_system + " is " + layout->trouble;
    }
  }
  if (const auto backing = loop_backing_file(mount->major, mount->minor);
      why.empty() && backing && layer < kMaxLayers) {
    if (auto below = examine(*backing, layer + 1); below && !below->sound)
      why = "a loop device whose file lies on an unsound place (" + below->reason + ")";
    else if (below)
      report.medium = below->medium;
  }
  report.sound = why.empty();
  if (!why.empty()) report.reason = layer == 0 ? why + std::string(kWhatToDo) : why;
  return report;
}

}  // namespace

Result<PlaceReport> examine_place(const Path& path) { return examine(path, 0); }

std::vector<Mount> parse_mountinfo(std::string_view text) {
  std::vector<Mount> mounts;
  std::istringstream lines{std::string(text)};
  lines.exceptions(std::ios_base::badbit);  // a lack of memory is not the end
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string id, parent, device, root, word;
    Mount mount;
    if (!(words >> id >> parent >> device >> root >> mount.mount_point >> word)) continue;
    const auto numbers = parse_device_numbers(device);
    if (!numbers) continue;
    mount.major = numbers->first;
    mount.minor = numbers->second;
    add_options(word, mount.options);
    while (words >> word && word != "-") {
    }
    if (!(words >> mount.file_system >> mount.device)) continue;
    if (words >> word) add_options(word, mount.options);
    mount.mount_point = unescape_octal(mount.mount_point);
    mount.device = unescape_octal(mount.device);
    mounts.push_back(std::move(mount));
  }
  return mounts;
}

Result<FileLayout> file_layout(int fd, const Path& path) {
  constexpr std::size_t kBytes = sizeof(fiemap) + kMaxExtents * sizeof(fiemap_extent);
  // u64 words: fiemap wants their alignment.
  const auto memory = std::make_unique<std::uint64_t[]>(kBytes / sizeof(std::uint64_t));
  static_assert(kBytes % sizeof(std::uint64_t) == 0);
  auto* const map = reinterpret_cast<fiemap*>(memory.get());
  map->fm_length = FIEMAP_MAX_OFFSET;
  map->fm_flags = FIEMAP_FLAG_SYNC;
  map->fm_extent_count = kMaxExtents;
  if (::ioctl(fd, FS_IOC_FIEMAP, map) != 0) {
    if (errno == EOPNOTSUPP || errno == ENOTTY || errno == EBADR)
      return fail(Errc::refused, "the file system does not say where this lies: " + path.string());
    return system_error(errno, "cannot map the extents of", path);
  }
  FileLayout layout;
  const auto* const extents = reinterpret_cast<const fiemap_extent*>(map + 1);
  bool last = map->fm_mapped_extents == 0;
  for (std::uint32_t i = 0; i < map->fm_mapped_extents; ++i) {
    const fiemap_extent& one = extents[i];
    if (layout.trouble.empty()) layout.trouble = trouble_of(one.fe_flags);
    last = (one.fe_flags & FIEMAP_EXTENT_LAST) != 0;
    if (!layout.extents.empty()) {
      Extent& before = layout.extents.back();
      if (before.logical + before.bytes == one.fe_logical && before.physical + before.bytes == one.fe_physical) {
        before.bytes += one.fe_length;
        continue;
      }
    }
    layout.extents.push_back({one.fe_logical, one.fe_physical, one.fe_length});
  }
  if (!last) return fail(Errc::corrupt, "in more than 256 pieces: " + path.string());
  return layout;
}

}  // namespace callvault::os
