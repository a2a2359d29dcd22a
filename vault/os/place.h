// Whether overwriting a file in a place really overwrites it. Measured with scans of raw images after six rotations of
// a keeper: no old key on ext4 (data=ordered) and xfs; old keys on ext4 data=journal, btrfs, and xfs after a reflink.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "os/file.h"

namespace callvault::os {

struct PlaceReport {
  bool sound = false;
  std::string reason;       // when not sound: what is wrong, on which file system, and what to do
  std::string file_system;  // "ext4"
  std::string mount_point;
  std::string device;              // "/dev/sda1", or what mountinfo says
  std::string medium;              // "rotational", "solid state", "unknown"
  std::vector<std::string> notes;  // what cannot be seen from here: layers below the file system
};

// Looks at the file system, its mount options, and for an existing file its extents and attributes. A path that does
// not exist is judged by the nearest folder above it. Soundness is claimed only for ext2, ext3, ext4 without data
// journalling and for xfs without shared extents; everything unknown is unsound. Errors: io, not_found, refused.
Result<PlaceReport> examine_place(const Path& path);

// Whether both lie on one disk, as far as can be seen: partitions and loop devices are followed to theirs.
bool on_same_disk(const Path& one, const Path& other);

// One line of /proc/self/mountinfo (proc(5)).
struct Mount {
  std::uint32_t major = 0, minor = 0;
  std::string mount_point, file_system, device;
  std::vector<std::string> options;  // of the mount, then of the super block
};
std::vector<Mount> parse_mountinfo(std::string_view text);

// Where a file's bytes lie (FIEMAP).
struct Extent {
  std::uint64_t logical = 0, physical = 0, bytes = 0;
  bool operator==(const Extent&) const = default;
};
struct FileLayout {
  std::vector<Extent> extents;  // neighbours merged
  std::string trouble;          // empty, or the flag that makes overwriting unsure: "shared", "delayed allocation" ...
};
// Errors: refused when the file system does not say (no FIEMAP); corrupt past 256 extents; io.
Result<FileLayout> file_layout(int fd, const Path& path);

}  // namespace callvault::os
