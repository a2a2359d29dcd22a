// The keeper under power cuts: every write it makes is recorded, every prefix of the writes and many torn forms of
// the last one are tried as the disk a machine wakes up with.
#include "keys/keeper.h"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <random>

#include "base/text.h"
#include "keys/disk.h"
#include "keys/file_keeper.h"
#include "os/mounted.h"

namespace {

using namespace callvault;
using base::Bytes;
using base::ByteView;
using keys::FileKeeper;
using keys::KeeperSlot;
using keys_test::Disk;
using keys_test::DiskFile;
using keys_test::kFileBytes;
using keys_test::kSlotBytes;

constexpr std::size_t kSectorBytes = 512;

std::unique_ptr<FileKeeper> open_on(Disk& disk) {
  auto keeper = FileKeeper::open_blocks(std::make_unique<DiskFile>(disk));
  REQUIRE(keeper.has_value());
  return std::move(*keeper);
}

std::unique_ptr<FileKeeper> format_on(Disk& disk) {
  auto keeper = FileKeeper::format_blocks(std::make_unique<DiskFile>(disk));
  REQUIRE(keeper.has_value());
  return std::move(*keeper);
}

std::string hex(const KeeperSlot& slot) { return base::to_hex(slot.root.reveal()); }

bool contains(ByteView haystack, ByteView needle) {
  return std::search(haystack.begin(), haystack.end(), needle.begin(), needle.end()) != haystack.end();
}

const KeeperSlot* find(const std::vector<KeeperSlot>& slots, std::uint64_t epoch) {
  for (const auto& slot : slots)
    if (slot.epoch == epoch) return &slot;
  return nullptr;
}

// The key blocks of the slot a root lies in.
Bytes key_blocks_of(const Disk& disk, std::uint64_t epoch) {
  for (std::size_t i = 0; i < 2; ++i) {
    const ByteView slot = ByteView(disk.data).subspan(os::kBlockBytes + i * kSlotBytes, kSlotBytes);
    std::uint64_t stored = 0;
    std::memcpy(&stored, slot.data() + 16, sizeof stored);
    std::uint16_t state = 0;
    std::memcpy(&state, slot.data() + 12, sizeof state);
    if (state == 1 && stored == epoch) return base::to_bytes(slot.subspan(os::kBlockBytes));
  }
  FAIL("no such slot");
  return {};
}

// True when any 64 bytes of a sector of `old_blocks` are still anywhere on the disk.
bool remains(const Disk& disk, const Bytes& old_blocks) {
  for (std::size_t at = 0; at + kSectorBytes <= old_blocks.size(); at += kSectorBytes)
    if (contains(disk.data, ByteView(old_blocks).subspan(at, 64))) return true;
  return false;
}

// Calls `check` with each disk that may be found after a power cut during the writes recorded in `after`.
template <typename Check>
void for_each_cut(const Disk& before, const Disk& after, Check check) {
  std::mt19937 dice(20261123);
  Disk state;
  state.data = before.data;
  for (const Disk::Write& write : after.writes) {
    const std::size_t sectors = write.bytes.size() / kSectorBytes;
    const auto put = [&](Disk& disk, std::size_t sector) {
      std::copy_n(write.bytes.begin() + static_cast<std::ptrdiff_t>(sector * kSectorBytes), kSectorBytes,
                  disk.data.begin() + static_cast<std::ptrdiff_t>(write.offset + sector * kSectorBytes));
    };
    for (std::size_t done = 0; done < sectors; ++done) {
      Disk torn;
      torn.data = state.data;
      for (std::size_t sector = 0; sector < done; ++sector) put(torn, sector);
      check(torn);
    }
    for (int i = 0; i < 8; ++i) {
      Disk torn;
      torn.data = state.data;
      for (std::size_t sector = 0; sector < sectors; ++sector)
        if (dice() % 2 == 0) put(torn, sector);
      check(torn);
    }
    for (std::size_t sector = 0; sector < sectors; ++sector) put(state, sector);
  }
  check(state);
}

struct TemporaryFolder {
  os::Path path;
  explicit TemporaryFolder(const os::Path& above = std::filesystem::temp_directory_path()) {
    std::string name = (above / "callvault-keeper-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    path = name;
  }
  ~TemporaryFolder() {
    std::error_code ec;
    std::filesystem::remove_all(path, ec);
  }
};

}  // namespace

TEST_CASE("a fresh keeper holds nothing, then one root, and roots never repeat") {
  Disk disk;
  const auto keeper = format_on(disk);
  REQUIRE_FALSE(keeper->read().has_value());
  CHECK(keeper->read().error().code == Errc::corrupt);
  CHECK_FALSE(keeper->unfinished().value());

  std::vector<std::string> seen;
  auto staged = keeper->stage(1, std::nullopt);
  REQUIRE(staged.has_value());
  seen.push_back(hex(*staged));
  for (std::uint64_t epoch = 2; epoch < 12; ++epoch) {
    auto next = keeper->stage(epoch, epoch - 1);
    REQUIRE(next.has_value());
    seen.push_back(hex(*next));
    auto both = keeper->read();
    REQUIRE(both.has_value());
    CHECK(both->size() == 2);
    REQUIRE(keeper->wipe_all_but(epoch).has_value());
    auto one = keeper->read();
    REQUIRE(one.has_value());
    REQUIRE(one->size() == 1);
    CHECK(one->front().epoch == epoch);
    CHECK(hex(one->front()) == seen.back());
    CHECK(one->front().commitment == keys::keeper_commitment(one->front().root).value());
  }
  std::sort(seen.begin(), seen.end());
  CHECK(std::adjacent_find(seen.begin(), seen.end()) == seen.end());

  const auto reopened = open_on(disk);
  CHECK(reopened->read()->front().epoch == 11);
}

TEST_CASE("stage refuses what would touch the present root") {
  Disk disk;
  const auto keeper = format_on(disk);
  REQUIRE(keeper->stage(5, std::nullopt).has_value());
  const Bytes before = disk.data;
  CHECK(keeper->stage(6, std::nullopt).error().code == Errc::refused);
  CHECK(keeper->stage(5, 5).error().code == Errc::usage);
  CHECK(keeper->stage(4, 5).error().code == Errc::usage);
  CHECK(keeper->stage(8, 7).error().code == Errc::corrupt);
  CHECK(keeper->wipe_all_but(7).error().code == Errc::corrupt);
  CHECK(disk.data == before);

  REQUIRE(keeper->stage(6, 5).has_value());
  const Bytes first_try = key_blocks_of(disk, 6);
  auto again = keeper->stage(6, 5);
  REQUIRE(again.has_value());
  CHECK_FALSE(remains(disk, first_try));
  CHECK(find(keeper->read().value(), 5) != nullptr);
}

TEST_CASE("a power cut during stage keeps the present root and leaves nothing that looks like another") {
  for (const bool leftover : {false, true}) {
    Disk disk;
    const auto keeper = format_on(disk);
    const std::string present = hex(keeper->stage(1, std::nullopt).value());
    std::string old_next;
    if (leftover) old_next = hex(keeper->stage(2, 1).value());
    Disk before = disk;
    disk.writes.clear();
    const std::string next = hex(keeper->stage(2, 1).value());
    CHECK(disk.writes.size() == (leftover ? 4 : 2));
    int cuts = 0, complete = 0;
    for_each_cut(before, disk, [&](Disk& cut) {
      ++cuts;
      const auto woken = open_on(cut);
      auto slots = woken->read();
      REQUIRE(slots.has_value());
      const KeeperSlot* one = find(*slots, 1);
      REQUIRE(one != nullptr);
      CHECK(hex(*one) == present);
      const KeeperSlot* two = find(*slots, 2);
      if (two != nullptr) CHECK((hex(*two) == next || hex(*two) == old_next));
      complete += two != nullptr && hex(*two) == next ? 1 : 0;
      REQUIRE(woken->wipe_all_but(1).has_value());
      CHECK_FALSE(woken->unfinished().value());
      CHECK(woken->read()->size() == 1);
      CHECK_FALSE(remains(cut, key_blocks_of(disk, 2)));
      auto retried = woken->stage(2, 1);
      REQUIRE(retried.has_value());
      CHECK(hex(*retried) != next);
    });
    CHECK(cuts > 50);
    CHECK(complete > 0);
  }
}

TEST_CASE("a power cut during the wipe is finished by the next one, and nothing of the old root remains") {
  Disk disk;
  const auto keeper = format_on(disk);
  const auto old_root = keeper->stage(1, std::nullopt).value();
  const Bytes old_blocks = key_blocks_of(disk, 1);
  const std::string present = hex(keeper->stage(2, 1).value());
  CHECK(remains(disk, old_blocks));
  Disk before = disk;
  disk.writes.clear();
  REQUIRE(keeper->wipe_all_but(2).has_value());
  CHECK(disk.writes.size() == 2);
  CHECK_FALSE(remains(disk, old_blocks));
  CHECK_FALSE(contains(disk.data, old_root.root.reveal()));
  CHECK_FALSE(contains(disk.data, old_root.commitment));

  int hidden = 0;
  for_each_cut(before, disk, [&](Disk& cut) {
    const auto woken = open_on(cut);
    auto slots = woken->read();
    REQUIRE(slots.has_value());
    REQUIRE(find(*slots, 2) != nullptr);
    CHECK(hex(*find(*slots, 2)) == present);
    // No cut may hide parts of the old root behind an empty slot without saying so.
    if (slots->size() == 1 && remains(cut, old_blocks)) {
      ++hidden;
      CHECK(woken->unfinished().value());
    }
    REQUIRE(woken->wipe_all_but(2).has_value());
    CHECK_FALSE(woken->unfinished().value());
    CHECK_FALSE(remains(cut, old_blocks));
    CHECK(woken->read()->size() == 1);
  });
  CHECK(hidden > 5);

  disk.writes.clear();
  REQUIRE(keeper->wipe_all_but(2).has_value());
  CHECK(disk.writes.empty());
}

TEST_CASE("failing writes leave the present root and may be repeated") {
  for (int good = 0; good < 4; ++good) {
    Disk disk;
    const auto keeper = format_on(disk);
    const std::string present = hex(keeper->stage(1, std::nullopt).value());
    disk.fail_after = good;
    const bool staged = keeper->stage(2, 1).has_value();
    CHECK(staged == (good >= 2));
    disk.fail_after = good < 2 ? -1 : good - 2;
    const bool wiped = keeper->wipe_all_but(1).has_value();
    if (staged) CHECK_FALSE(wiped);
    CHECK(hex(*find(keeper->read().value(), 1)) == present);
    disk.fail_after = -1;
    REQUIRE(keeper->wipe_all_but(1).has_value());
    CHECK_FALSE(keeper->unfinished().value());
  }
}

TEST_CASE("a root that cannot be read just now is an I/O error and no damage, and nothing is wiped") {
  Disk disk;
  const auto keeper = format_on(disk);
  REQUIRE(keeper->stage(1, std::nullopt).has_value());
  const Bytes before = disk.data;
  disk.unreadable = 3 * os::kBlockBytes;
  CHECK(keeper->read().error().code == Errc::io);
  CHECK(keeper->wipe_all_but(1).error().code == Errc::io);
  CHECK(keeper->stage(2, 1).error().code == Errc::io);
  CHECK(disk.data == before);
  disk.unreadable.reset();
  CHECK(find(*keeper->read(), 1) != nullptr);
}

TEST_CASE("a device that acknowledges and does not store is caught by the read back") {
  Disk disk;
  const auto keeper = format_on(disk);
  REQUIRE(keeper->stage(1, std::nullopt).has_value());
  disk.lie = true;
  CHECK(keeper->stage(2, 1).error().code == Errc::io);
  disk.lie = false;
  REQUIRE(keeper->stage(2, 1).has_value());
  disk.lie = true;
  CHECK(keeper->wipe_all_but(2).error().code == Errc::io);
}

TEST_CASE("every damaged part of a root is found, and nothing is wiped") {
  Disk disk;
  const auto keeper = format_on(disk);
  REQUIRE(keeper->stage(1, std::nullopt).has_value());
  const Bytes good = disk.data;
  // The first root lies in the first slot: place block, header, key blocks.
  for (std::size_t at = 0; at < os::kBlockBytes + kSlotBytes; at += 97) {
    disk.data = good;
    disk.data[at] ^= std::byte{0x10};
    const Bytes damaged = disk.data;
    auto opened = FileKeeper::open_blocks(std::make_unique<DiskFile>(disk));
    CAPTURE(at);
    if (!opened) {
      CHECK((opened.error().code == Errc::corrupt || opened.error().code == Errc::newer_version));
      continue;
    }
    const auto read = (*opened)->read();
    REQUIRE_FALSE(read.has_value());
    CHECK((read.error().code == Errc::corrupt || read.error().code == Errc::newer_version));
    CHECK_FALSE((*opened)->wipe_all_but(1).has_value());
    CHECK_FALSE((*opened)->stage(2, 1).has_value());
    CHECK(disk.data == damaged);
  }
  disk.data = good;
  CHECK(keeper->read().has_value());

  // The slot that holds no root may be damaged: the root is found, and the next change wipes what is there.
  for (std::size_t at = os::kBlockBytes + kSlotBytes; at < disk.data.size(); at += 97) {
    disk.data = good;
    disk.data[at] ^= std::byte{0x10};
    CAPTURE(at);
    const auto read = keeper->read();
    if (!read) {
      CHECK(read.error().code == Errc::newer_version);
      continue;
    }
    CHECK(read->size() == 1);
    CHECK(read->front().epoch == 1);
    REQUIRE(keeper->wipe_all_but(1).has_value());
    CHECK(keeper->unfinished().value() == false);
  }
  disk.data = good;

  for (const std::size_t size : {0UL, 1UL, 4096UL, 8192UL, 24575UL, 24576UL, 45055UL}) {
    Disk cut;
    cut.data = Bytes(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(size));
    auto opened = FileKeeper::open_blocks(std::make_unique<DiskFile>(cut));
    CAPTURE(size);
    CHECK((opened && (*opened)->read()) == (size >= os::kBlockBytes + kSlotBytes));
    CHECK((!opened || !(*opened)->unfinished()));
  }
}

TEST_CASE("a keeper in a file: modes, one name, reopening, wiping") {
  TemporaryFolder folder;
  const os::Path place = folder.path / "vault.keeper";
  const auto report = os::examine_place(folder.path);
  REQUIRE(report.has_value());
  const bool unsafe = !report->sound;
  if (unsafe) MESSAGE("SKIPPED: the checks of a sound place, for the temporary folder is none: " << report->reason);
  {
    auto made = FileKeeper::create(place, unsafe);
    REQUIRE_MESSAGE(made.has_value(), made.error().message);
    REQUIRE((*made)->stage(1, std::nullopt).has_value());
  }
  struct stat st {};
  REQUIRE(::stat(place.c_str(), &st) == 0);
  CHECK((st.st_mode & 07777) == 0700);
  REQUIRE(::stat((place / "root").c_str(), &st) == 0);
  CHECK((st.st_mode & 07777) == 0600);
  CHECK(st.st_size == static_cast<off_t>(kFileBytes));
  CHECK(FileKeeper::create(place, unsafe).error().code == Errc::refused);

  auto keeper = FileKeeper::open(place);
  REQUIRE_MESSAGE(keeper.has_value(), keeper.error().message);
  const Bytes old = os::read_file(place / "root", kFileBytes).value();
  REQUIRE((*keeper)->stage(2, 1).has_value());
  REQUIRE((*keeper)->wipe_all_but(2).has_value());
  const Bytes now = os::read_file(place / "root", kFileBytes).value();
  Disk disk;
  disk.data = now;
  CHECK_FALSE(remains(disk, Bytes(old.begin() + 8192, old.begin() + 24576)));
  const auto description = (*keeper)->describe();
  CHECK(description.kind == "file");
  CHECK(description.sound == !unsafe);
  CHECK(description.claim == "logically erased");
  CHECK(os::list_folder(place).value() == std::vector<std::string>{"root"});

  CHECK(FileKeeper::open(folder.path / "nowhere").error().code == Errc::not_found);
  if (unsafe) return;

  SUBCASE("a second name") {
    REQUIRE(::link((place / "root").c_str(), (folder.path / "second").c_str()) == 0);
    const auto refused = (*keeper)->stage(3, 2);
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().code == Errc::refused);
    CHECK_FALSE((*keeper)->describe().sound);
  }
  SUBCASE("a copy is somewhere else on the disk") {
    const os::Path copy = folder.path / "copy.keeper";
    REQUIRE(os::make_folder(copy).has_value());
    REQUIRE(os::write_new_file(copy / "root", now).has_value());
    auto moved = FileKeeper::open(copy);
    REQUIRE(moved.has_value());
    CHECK((*moved)->read().has_value());
    const auto refused = (*moved)->stage(3, 2);
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().code == Errc::refused);
    CHECK(refused.error().message.find("moved") != std::string::npos);
    REQUIRE((*moved)->accept_place(false).has_value());
    CHECK((*moved)->stage(3, 2).has_value());
  }
}

TEST_CASE("memory is no place for a keeper unless that is accepted") {
  std::error_code ec;
  if (!std::filesystem::is_directory("/dev/shm", ec) || os::examine_place("/dev/shm")->file_system != "tmpfs") {
    MESSAGE("SKIPPED: /dev/shm is no tmpfs here");
    return;
  }
  TemporaryFolder folder("/dev/shm");
  const os::Path place = folder.path / "vault.keeper";
  const auto refused = FileKeeper::create(place, false);
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().code == Errc::refused);
  CHECK(refused.error().message.find("tmpfs") != std::string::npos);
  CHECK_FALSE(os::exists(place));
  {
    auto keeper = FileKeeper::create(place, true);
    REQUIRE_MESSAGE(keeper.has_value(), keeper.error().message);
    REQUIRE((*keeper)->stage(1, std::nullopt).has_value());
  }
  auto keeper = FileKeeper::open(place);
  REQUIRE(keeper.has_value());
  REQUIRE((*keeper)->stage(2, 1).has_value());
  REQUIRE((*keeper)->wipe_all_but(2).has_value());
  CHECK((*keeper)->read()->size() == 1);
  CHECK_FALSE((*keeper)->describe().sound);
  CHECK_FALSE((*keeper)->describe().reason.empty());
}

TEST_CASE("on ext4 and xfs the raw image holds no old root after ten rotations") {
  for (const char* kind : {"ext4", "xfs"}) {
    tests::Mounted mounted(kind, "");
    if (!mounted.ready) {
      MESSAGE("SKIPPED: " << mounted.why);
      continue;
    }
    CAPTURE(kind);
    const os::Path place = mounted.point / "vault.keeper";
    auto keeper = FileKeeper::create(place, false);
    if (!keeper) {
      MESSAGE("SKIPPED: " << keeper.error().message);
      continue;
    }
    std::vector<Bytes> blocks;
    std::vector<Bytes> commitments;
    for (std::uint64_t epoch = 1; epoch <= 11; ++epoch) {
      const auto next = (*keeper)->stage(epoch, epoch > 1 ? std::optional(epoch - 1) : std::nullopt);
      REQUIRE_MESSAGE(next.has_value(), next.error().message);
      Disk disk;
      disk.data = os::read_file(place / "root", kFileBytes).value();
      blocks.push_back(key_blocks_of(disk, epoch));
      commitments.push_back(base::to_bytes(next->commitment));
      REQUIRE((*keeper)->wipe_all_but(epoch).has_value());
    }
    keeper->reset();
    mounted.unmount();
    Disk image;
    image.data = os::read_file(mounted.image(), 1ULL << 30).value();
    // The blocks of a sector each are looked up in one pass, by their first eight bytes.
    std::vector<std::pair<std::uint64_t, std::size_t>> wanted;
    const auto word = [](const std::byte* at) {
      std::uint64_t out = 0;
      std::memcpy(&out, at, sizeof out);
      return out;
    };
    for (std::size_t i = 0; i < blocks.size(); ++i)
      for (std::size_t at = 0; at < blocks[i].size(); at += kSectorBytes) wanted.emplace_back(word(&blocks[i][at]), i);
    for (std::size_t i = 0; i < commitments.size(); ++i) wanted.emplace_back(word(commitments[i].data()), i);
    std::sort(wanted.begin(), wanted.end());
    std::size_t old_found = 0, present_found = 0;
    for (std::size_t at = 0; at + 8 <= image.data.size(); at += 8) {
      const auto here = word(&image.data[at]);
      if (here == 0) continue;
      const auto it = std::lower_bound(wanted.begin(), wanted.end(), std::pair(here, std::size_t{0}));
      if (it == wanted.end() || it->first != here) continue;
      (it->second + 1 == blocks.size() ? present_found : old_found) += 1;
    }
    CHECK(old_found == 0);
    CHECK(present_found == 33);  // 32 sectors and the commitment: the scan can see
  }
}
