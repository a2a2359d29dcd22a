// Headers of a keeper that hold their check and say what this program does not know, or what cannot be.
#include <sys/resource.h>

#include <csignal>

#include "crypto/hash.h"
#include "keys/disk.h"
#include "keys/file_keeper.h"
#include "keys/support.h"

namespace {

using namespace callvault;
using base::Bytes;
using base::ByteView;
using keys::FileKeeper;
using keys_test::Disk;
using keys_test::DiskFile;

constexpr std::size_t kPlaceAt = 0;
constexpr std::size_t header_of_slot(std::size_t index) { return os::kBlockBytes + index * keys_test::kSlotBytes; }

// A field of two bytes is given another value, and the header the check that fits.
void rewrite(Bytes& data, std::size_t header, std::size_t field, std::uint16_t value, std::size_t checked = 56) {
  std::memcpy(data.data() + header + field, &value, sizeof value);
  const auto check = crypto::blake2b(ByteView(data).subspan(header, checked));
  std::copy(check.begin(), check.end(), data.begin() + static_cast<std::ptrdiff_t>(header + checked));
}

std::unique_ptr<FileKeeper> formatted(Disk& disk) {
  auto keeper = FileKeeper::format_blocks(std::make_unique<DiskFile>(disk));
  REQUIRE(keeper.has_value());
  return std::move(*keeper);
}

template <typename T>
Errc refusal_of(const Result<T>& result) {
  return result ? Errc::interrupted : result.error().code;
}

}  // namespace

TEST_CASE("a slot of a newer version is told as that by every step, and nothing is overwritten") {
  for (const std::size_t newer : {0U, 1U}) {
    CAPTURE(newer);
    Disk disk;
    const auto keeper = formatted(disk);
    REQUIRE(keeper->stage(1, std::nullopt).has_value());  // in the first slot
    rewrite(disk.data, header_of_slot(newer), 8, 2);
    const Bytes before = disk.data;
    CHECK(refusal_of(keeper->read()) == Errc::newer_version);
    CHECK(refusal_of(keeper->unfinished()) == Errc::newer_version);
    CHECK(refusal_of(keeper->stage(2, 1)) == Errc::newer_version);
    CHECK(refusal_of(keeper->wipe_all_but(1)) == Errc::newer_version);
    CHECK(disk.data == before);
  }
}

TEST_CASE("a slot whose header holds its check and cannot be is damage") {
  Disk disk;
  const auto keeper = formatted(disk);
  REQUIRE(keeper->stage(1, std::nullopt).has_value());
  const Bytes good = disk.data;
  // version, number of the slot, state, reserved
  for (const auto& [field, value] : {std::pair<std::size_t, std::uint16_t>{8, 0}, {10, 1}, {12, 2}, {14, 1}}) {
    CAPTURE(field);
    disk.data = good;
    rewrite(disk.data, header_of_slot(0), field, value);
    CHECK(refusal_of(keeper->read()) == Errc::corrupt);
    CHECK(refusal_of(keeper->wipe_all_but(1)) == Errc::corrupt);
  }
  disk.data = good;
  rewrite(disk.data, header_of_slot(0), 12, 1);  // what it was
  CHECK(keeper->read().has_value());
}

TEST_CASE("a slot that holds no root and is damaged is wiped before the next root goes there") {
  Disk disk;
  const auto keeper = formatted(disk);
  REQUIRE(keeper->stage(1, std::nullopt).has_value());
  disk.data[header_of_slot(1) + 20] ^= std::byte{1};
  disk.writes.clear();
  REQUIRE(keeper->stage(2, 1).has_value());
  CHECK(disk.writes.size() == 4);  // header and filler, then key blocks and header
  CHECK(keeper->read()->size() == 2);
  REQUIRE(keeper->wipe_all_but(2).has_value());
  CHECK(keeper->read()->front().epoch == 2);
}

TEST_CASE("a keeper's place block of a newer version, of none, or with too many pieces") {
  Disk disk;
  formatted(disk);
  const Bytes good = disk.data;
  const auto opening = [&](std::size_t field, std::uint16_t value) {
    disk.data = good;
    rewrite(disk.data, kPlaceAt, field, value, 16);
    return refusal_of(FileKeeper::open_blocks(std::make_unique<DiskFile>(disk)));
  };
  CHECK(opening(8, 2) == Errc::newer_version);
  CHECK(opening(8, 0) == Errc::corrupt);
  CHECK(opening(12, 33) == Errc::corrupt);
  CHECK(opening(12, 1) == Errc::corrupt);  // a piece that stands nowhere
  CHECK(opening(8, 1) == Errc::interrupted);
}

TEST_CASE("a keeper that cannot be written whole is taken back") {
  const keys_test::TempFolder folder;
  const os::Path place = folder.path() / "vault.keeper";
  struct rlimit before {};
  REQUIRE(::getrlimit(RLIMIT_FSIZE, &before) == 0);
  auto* const handler = std::signal(SIGXFSZ, SIG_IGN);
  struct rlimit small = before;
  small.rlim_cur = 8192;
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &small) == 0);
  const auto made = FileKeeper::create(place, true);
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &before) == 0);
  std::signal(SIGXFSZ, handler);
  CHECK_FALSE(made.has_value());
  CHECK_FALSE(os::exists(place));
  CHECK(FileKeeper::create(place, true).has_value());
}

TEST_CASE("a keeper that was accepted where nothing is sound is not taken for a sound one") {
  std::error_code ec;
  if (!std::filesystem::is_directory("/dev/shm", ec) || os::examine_place("/dev/shm")->sound) {
    MESSAGE("SKIPPED: /dev/shm is no tmpfs here");
    return;
  }
  const os::Path place = os::Path("/dev/shm") / ("callvault-keeper-" + std::to_string(::getpid()));
  {
    auto keeper = FileKeeper::create(place, true);
    REQUIRE(keeper.has_value());
    REQUIRE((*keeper)->stage(1, std::nullopt).has_value());
    CHECK((*keeper)->accept_place(false).error().code == Errc::refused);
    CHECK((*keeper)->stage(2, 1).has_value());  // as before
  }
  // Its file says that the place was sound: it came from another disk.
  Bytes moved = os::read_file(place / "root", keys_test::kFileBytes).value();
  rewrite(moved, kPlaceAt, 10, 0, 16);
  REQUIRE(os::remove_file(place / "root").has_value());
  REQUIRE(os::write_new_file(place / "root", moved).has_value());
  if (auto keeper = FileKeeper::open(place)) {  // a tmpfs may have no O_DIRECT
    CHECK((*keeper)->read().has_value());
    const auto refused = (*keeper)->stage(3, 2);
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().code == Errc::refused);
    CHECK(refused.error().message.find("not sound any more") != std::string::npos);
    std::filesystem::remove_all(place);
    CHECK_FALSE((*keeper)->describe().sound);
    std::filesystem::create_symlink(place.filename(), place);  // leads in a circle: nobody can say what is there
    CHECK_FALSE((*keeper)->describe().sound);
    CHECK_FALSE((*keeper)->describe().reason.empty());
  }
  std::filesystem::remove_all(place);
}
