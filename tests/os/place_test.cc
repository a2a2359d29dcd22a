// Places: which file systems are told apart from here, and which on loop devices of their own.
#include "os/place.h"

#include <doctest/doctest.h>
#include "os/direct_file.h"
#include "os/mounted.h"

namespace {

using namespace callvault;
using os::Path;
using tests::Mounted;
using tests::run;
using tests::TemporaryFolder;

bool skipped(const Mounted& mounted) {
  if (!mounted.ready) MESSAGE("SKIPPED: " << mounted.why);
  return !mounted.ready;
}

// A file written past the cache, as the keeper's is.
Path written_file(const Path& folder) {
  const Path path = folder / "file";
  auto file = os::DirectFile::create(path, os::DirectFile::Way::synced);
  REQUIRE_MESSAGE(file.has_value(), file.error().message);
  auto buffer = os::BlockBuffer::make(11);
  REQUIRE(buffer.has_value());
  std::fill(buffer->reveal_mutable().begin(), buffer->reveal_mutable().end(), std::byte{0x5a});
  const auto done = (*file)->write_verified(buffer->reveal(), 0);
  REQUIRE_MESSAGE(done.has_value(), done.error().message);
  return path;
}

os::PlaceReport examine(const Path& path) {
  auto report = os::examine_place(path);
  REQUIRE_MESSAGE(report.has_value(), report.error().message);
  return std::move(*report);
}

bool below_is_sound() { return examine(std::filesystem::temp_directory_path()).sound; }

}  // namespace

TEST_CASE("mountinfo is read field by field") {
  const auto mounts = os::parse_mountinfo(
      "36 35 98:0 /mnt1 /mnt2\\040x rw,noatime master:1 shared:2 - ext4 /dev/root rw,data=journal\n"
      "37 35 0:25 / /dev/shm rw - tmpfs tmpfs rw,size=1k\n"
      "broken line\n38 35 x:y / /z rw - ext4 a b\n39 35 8:1 / /last rw - xfs\n");
  REQUIRE(mounts.size() == 2);
  CHECK(mounts[0].mount_point == "/mnt2 x");
  CHECK(mounts[0].major == 98);
  CHECK(mounts[0].file_system == "ext4");
  CHECK(mounts[0].options == std::vector<std::string>{"rw", "noatime", "rw", "data=journal"});
  CHECK(mounts[1].device == "tmpfs");
}

TEST_CASE("memory, /proc and things that are not there") {
  const auto proc = examine("/proc");
  CHECK_FALSE(proc.sound);
  CHECK(proc.file_system == "proc");
  TemporaryFolder folder;
  const auto here = examine(folder.path);
  CHECK(examine(folder.path / "not" / "there").mount_point == here.mount_point);
  CHECK(here.sound == here.reason.empty());
  std::error_code ec;
  if (!std::filesystem::is_directory("/dev/shm", ec)) return;
  const auto shm = examine("/dev/shm");
  if (shm.file_system == "tmpfs") CHECK(shm.reason.find("tmpfs") != std::string::npos);
}

TEST_CASE("ext4 in its usual mode is sound") {
  Mounted mounted("ext4", "");
  if (skipped(mounted)) return;
  const Path file = written_file(mounted.point);
  const auto report = examine(file);
  CHECK(report.file_system == "ext4");
  CHECK_MESSAGE(report.sound == below_is_sound(), report.reason);

  // Allocated and not written; or a journalled file in a sound file system.
  REQUIRE(run({"fallocate", "-l", "64K", (mounted.point / "reserved").string()}) == 0);
  CHECK_FALSE(examine(mounted.point / "reserved").sound);
  if (run({"chattr", "+j", file.string()}) == 0) {
    CHECK_FALSE(examine(file).sound);
    CHECK(examine(file).reason.find("journalled") != std::string::npos);
  }
}

TEST_CASE("ext4 that journals data is not, even when mountinfo does not show it") {
  for (const bool by_default : {false, true}) {
    Mounted mounted("ext4", by_default ? "" : "data=journal", by_default);
    if (skipped(mounted)) return;
    const auto report = examine(written_file(mounted.point));
    CAPTURE(by_default);
    CHECK_FALSE(report.sound);
    CHECK(report.reason.find("data=journal") != std::string::npos);
  }
}

TEST_CASE("btrfs is not") {
  Mounted mounted("btrfs", "");
  if (skipped(mounted)) return;
  const auto report = examine(written_file(mounted.point));
  CHECK(report.file_system == "btrfs");
  CHECK_FALSE(report.sound);
}

TEST_CASE("xfs is sound until a reflink shares the blocks") {
  Mounted mounted("xfs", "");
  if (skipped(mounted)) return;
  const Path file = written_file(mounted.point);
  CHECK_MESSAGE(examine(file).sound == below_is_sound(), examine(file).reason);
  if (run({"cp", "--reflink=always", file.string(), (mounted.point / "copy").string()}) != 0) {
    MESSAGE("SKIPPED: no reflinks here");
    return;
  }
  CHECK_FALSE(examine(file).sound);
  CHECK(examine(file).reason.find("shared") != std::string::npos);
}

TEST_CASE("a direct file reads back what it wrote and does not grow once opened") {
  TemporaryFolder folder;
  const Path path = written_file(folder.path);
  CHECK_FALSE(os::DirectFile::create(path, os::DirectFile::Way::synced).has_value());
  auto file = os::DirectFile::open(path, os::DirectFile::Way::synced);
  REQUIRE(file.has_value());
  auto block = os::BlockBuffer::make(1);
  REQUIRE(block.has_value());
  REQUIRE((*file)->read(block->reveal_mutable(), 10 * os::kBlockBytes).has_value());
  CHECK(block->reveal()[4095] == std::byte{0x5a});
  CHECK((*file)->read(block->reveal_mutable(), 11 * os::kBlockBytes).error().code == Errc::corrupt);
  CHECK((*file)->write(block->reveal(), 11 * os::kBlockBytes).error().code == Errc::corrupt);
  CHECK(std::filesystem::file_size(path) == 11 * os::kBlockBytes);
  CHECK_FALSE(os::DirectFile::open(folder.path, os::DirectFile::Way::synced).has_value());
}
