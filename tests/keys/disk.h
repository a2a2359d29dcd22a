// A keeper's file in memory, that can fail, lie and be cut off.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <optional>
#include <vector>

#include "os/direct_file.h"

namespace callvault::keys_test {

inline constexpr std::size_t kFileBytes = 45056;
inline constexpr std::size_t kSlotBytes = 20480;

struct Disk {
  base::Bytes data = base::Bytes(kFileBytes);
  struct Write {
    std::uint64_t offset;
    base::Bytes bytes;
  };
  std::vector<Write> writes;
  int fail_after = -1;                      // writes that still succeed
  bool lie = false;                         // acknowledges and stores nothing
  std::optional<std::uint64_t> unreadable;  // the block of this byte
};

class DiskFile final : public os::DirectFile {
 public:
  explicit DiskFile(Disk& disk) : disk_(&disk) {}
  Result<void> write(base::ByteView data, std::uint64_t offset) override {
    REQUIRE(offset % os::kBlockBytes == 0);
    REQUIRE(data.size() % os::kBlockBytes == 0);
    REQUIRE(offset + data.size() <= disk_->data.size());
    if (disk_->fail_after == 0) return fail(Errc::io, "made to fail");
    if (disk_->fail_after > 0) --disk_->fail_after;
    if (disk_->lie) return {};
    disk_->writes.push_back({offset, base::to_bytes(data)});
    std::copy(data.begin(), data.end(), disk_->data.begin() + static_cast<std::ptrdiff_t>(offset));
    return {};
  }
  Result<void> read(base::MutableBytes out, std::uint64_t offset) override {
    if (offset + out.size() > disk_->data.size()) return fail(Errc::corrupt, "too short: disk");
    if (disk_->unreadable && *disk_->unreadable >= offset && *disk_->unreadable - offset < out.size())
      return fail(Errc::io, "made to fail");
    std::copy_n(disk_->data.begin() + static_cast<std::ptrdiff_t>(offset), out.size(), out.begin());
    return {};
  }
  const os::Path& path() const override { return path_; }
  int fd() const override { return -1; }

 private:
  Disk* disk_;
  os::Path path_ = "disk";
};

}  // namespace callvault::keys_test
