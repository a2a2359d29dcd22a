// Room set aside for a full disk. That it is enough for a purge is tests/system/full_disk.py.
#include "os/spare.h"

#include <doctest/doctest.h>

#include <sys/stat.h>

#include <array>

#include "os/mounted.h"

namespace {

using namespace callvault;
using base::Bytes;
using tests::TemporaryFolder;

Bytes text(std::size_t size, char fill) { return Bytes(size, static_cast<std::byte>(fill)); }

std::vector<std::uint64_t> sizes_in(const os::Path& folder) {
  std::vector<std::uint64_t> out;
  const auto names = os::list_folder(folder);
  REQUIRE(names.has_value());
  for (const auto& name : *names) out.push_back(std::filesystem::file_size(folder / name));
  return out;
}

}  // namespace

TEST_CASE("what is set aside has its blocks, grows when asked for more, and never shrinks") {
  const TemporaryFolder folder;
  const os::SpareFiles spare(folder.path / "spare");
  REQUIRE(spare.refill(std::array<std::uint64_t, 2>{4096, 65536}).has_value());
  CHECK(sizes_in(folder.path / "spare") == std::vector<std::uint64_t>{4096, 65536});
  struct stat st {};
  REQUIRE(::stat((folder.path / "spare/1").c_str(), &st) == 0);
  CHECK(st.st_blocks * 512 >= 65536);
  REQUIRE(spare.refill(std::array<std::uint64_t, 2>{8192, 4096}).has_value());
  CHECK(sizes_in(folder.path / "spare") == std::vector<std::uint64_t>{8192, 65536});
  CHECK(spare.count(std::array<std::uint64_t, 2>{8192, 65536}).value() == 2);
  CHECK(spare.count(std::array<std::uint64_t, 3>{8193, 65536, 1}).value() == 1);
}

TEST_CASE("the smallest that fits is used, whole, with the mode asked for, in place of what had the name") {
  const TemporaryFolder folder;
  const os::SpareFiles spare(folder.path / "spare");
  const os::Path path = folder.path / "file";
  CHECK_FALSE(spare.use(path, text(1, 'a'), 0600).value());  // nothing is set aside yet
  REQUIRE(spare.refill(std::array<std::uint64_t, 3>{65536, 4096, 16384}).has_value());
  REQUIRE(os::write_new_file(path, text(9000, 'o')).has_value());

  CHECK(spare.use(path, text(5000, 'a'), 0640).value());
  CHECK(os::read_file(path, 65536).value() == text(5000, 'a'));
  CHECK(os::mode_of(path).value() == 0640);
  CHECK(sizes_in(folder.path / "spare") == std::vector<std::uint64_t>{65536, 4096});

  CHECK(spare.use(path, text(65536, 'b'), 0600).value());
  CHECK(os::read_file(path, 65536).value() == text(65536, 'b'));
  CHECK_FALSE(spare.use(path, text(4097, 'c'), 0600).value());
  CHECK(os::read_file(path, 65536).value() == text(65536, 'b'));
  CHECK(spare.use(path, {}, 0600).value());
  CHECK(os::read_file(path, 65536).value().empty());
}

TEST_CASE("a disk with room is written to plainly, and room behind an end changes no size") {
  const TemporaryFolder folder;
  const os::SpareFiles spare(folder.path / "spare");
  REQUIRE(spare.refill(std::array<std::uint64_t, 1>{4096}).has_value());
  REQUIRE(os::replace_file(folder.path / "file", text(10, 'x'), 0600, &spare).has_value());
  CHECK(sizes_in(folder.path / "spare") == std::vector<std::uint64_t>{4096});
  auto file = os::File::open_write(folder.path / "file");
  REQUIRE(file.has_value());
  file->keep_room(1 << 20);
  CHECK(file->size().value() == 10);
  struct stat st {};
  REQUIRE(::fstat(file->fd(), &st) == 0);
  CHECK(st.st_blocks * 512 >= 1 << 20);
}
