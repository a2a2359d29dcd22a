// Room that is set aside while there is some: a few allocated files, filled and renamed into use when the disk is full.
// Unlike a ballast that is deleted, the room never returns to the file system, where a recorder could take it first.
#pragma once

#include <span>

#include "os/file.h"

namespace callvault::os {

class SpareFiles {
 public:
  explicit SpareFiles(Path folder) : folder_(std::move(folder)) {}

  // Makes or enlarges the files, one per size. A disk that has no room for all of them keeps those that fit: not an
  // error. Errors: io, refused.
  Result<void> refill(std::span<const std::uint64_t> sizes) const;
  // How many of the sizes are there.
  Result<std::size_t> count(std::span<const std::uint64_t> sizes) const;
  // The smallest file that `data` fits into takes the name `path`, with this content, synced; the caller syncs the
  // folder. False when there is none.
  Result<bool> use(const Path& path, ByteView data, unsigned mode) const;

 private:
  Path folder_;
};

}  // namespace callvault::os
