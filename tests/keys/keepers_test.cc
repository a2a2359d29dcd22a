// Two keepers: each opens the directory, both forget, and one that was away opens nothing and holds nothing final up
// for good.
#include "keys/keepers.h"

#include <doctest/doctest.h>

#include <fstream>

#include "keys/file_keeper.h"
#include "keys/key_state.h"
#include "keys/open_keeper.h"
#include "keys/support.h"

namespace {

using namespace callvault;
using base::Bytes;
using base::ByteView;
using keys::FileKeeper;
using keys::KeyState;
using keys::Standing;
using Access = keys::KeyState::Access;

class PairOfKeepers {
  keys_test::TempFolder temp_;

 public:
  PairOfKeepers() : layout{temp_.path() / "vault"} {
    std::filesystem::create_directories(layout.buckets());
    std::filesystem::create_directories(layout.intake());
    auto keeper = std::move(FileKeeper::create(first_folder(), true).value());
    keys::Directory first;
    first.journal_seed = keys_test::fixed_key(0x53);
    REQUIRE(KeyState::create(layout, *keeper, std::move(first), Time{}).has_value());
    auto state = load();
    before_mirror = directory_file();
    auto mirror = std::move(FileKeeper::create(mirror_folder(), true).value());
    REQUIRE(state.add_mirror(std::move(mirror), mirror_folder(), first_folder()).has_value());
    REQUIRE(state.commit().has_value());
  }

  os::Path first_folder() const { return temp_.path() / "vault.keeper"; }
  os::Path mirror_folder() const { return temp_.path() / "other" / "mirror"; }

  Result<KeyState> try_load(Access access = Access::change) {
    auto opened = keys::open_keeper(first_folder());
    keepers_.push_back(opened ? std::move(*opened) : keys::lost_keeper(first_folder(), opened.error()));
    return KeyState::load(layout, *keepers_.back(), access);
  }
  KeyState load(Access access = Access::change) {
    std::filesystem::create_directories(temp_.path() / "other");
    auto state = try_load(access);
    REQUIRE_MESSAGE(state.has_value(), (state ? std::string() : state.error().message));
    return std::move(*state);
  }
  Errc refusal(Access access = Access::change) {
    const auto state = try_load(access);
    return state ? Errc::interrupted : state.error().code;
  }
  std::vector<keys::KeeperSlot> roots(const os::Path& folder) {
    auto keeper = keys::open_keeper(folder);
    REQUIRE(keeper.has_value());
    auto slots = (*keeper)->read();
    REQUIRE(slots.has_value());
    CHECK(!(*keeper)->unfinished().value());
    return std::move(*slots);
  }
  // What somebody opens who has that copy of the directory and today's keepers.
  bool opens(ByteView directory) {
    const auto parts = keys::split_directory(directory);
    REQUIRE(parts.has_value());
    for (const auto& folder : {first_folder(), mirror_folder()}) {
      auto keeper = keys::open_keeper(folder);
      if (keeper && keys::Keepers::open(layout, **keeper, parts->head, keys::Keepers::Reach::enough)) return true;
    }
    return false;
  }
  static void away(const os::Path& folder) { std::filesystem::rename(folder, folder.string() + ".away"); }
  static void back(const os::Path& folder) { std::filesystem::rename(folder.string() + ".away", folder); }

  Bytes directory_file() const { return read(layout.directory()); }
  static Bytes read(const os::Path& path) {
    auto bytes = os::read_file(path, 1 << 26);
    REQUIRE(bytes.has_value());
    return std::move(*bytes);
  }
  static void write(const os::Path& path, ByteView bytes) {
    std::ofstream out(path, std::ios::binary | std::ios::trunc);
    out << base::as_text(bytes);
    REQUIRE(out.good());
  }

  base::Layout layout;
  Bytes before_mirror;

 private:
  std::vector<std::unique_ptr<keys::Keeper>> keepers_;
};

void rotate_pair(KeyState& state, std::uint64_t shreds = 0) {
  REQUIRE(state.stage_root().has_value());
  REQUIRE(state.commit_rotation(shreds).has_value());
  REQUIRE(state.forget_old().has_value());
}

std::vector<Standing> standings(KeyState& state) {
  std::vector<Standing> out;
  for (const auto& view : state.keepers()) out.push_back(view.standing);
  return out;
}

using Standings = std::vector<Standing>;

TEST_CASE("each of two keepers opens the directory; the second one says why it had to") {
  PairOfKeepers pair;
  auto state = pair.load();
  CHECK(state.opened_instead().empty());
  CHECK(standings(state) == Standings{Standing::current, Standing::current});
  CHECK(state.directory().keepers[0].path == "../vault.keeper");
  CHECK(pair.directory_file()[8] == std::byte{3});
  CHECK(pair.before_mirror[8] == std::byte{2});
  pair.away(pair.first_folder());
  auto by_mirror = pair.load(Access::look);
  CHECK(by_mirror.opened_instead().find("no keeper in") == std::string::npos);  // the words are the door's
  CHECK(by_mirror.opened_instead().find("opened by its mirror in " + pair.mirror_folder().string()) !=
        std::string::npos);
  CHECK(standings(by_mirror) == Standings{Standing::missing, Standing::current});
  pair.away(pair.mirror_folder());
  CHECK(pair.refusal(Access::look) == Errc::corrupt);
  CHECK(pair.refusal() == Errc::corrupt);
}

TEST_CASE("stopped after any step of a rotation of two keepers, the next load finishes or undoes it in both") {
  for (std::size_t done = 0; done <= 3; ++done) {
    CAPTURE(done);
    PairOfKeepers pair;
    const Bytes before = pair.directory_file();
    {
      auto state = pair.load();
      if (done > 0) REQUIRE(state.stage_root().has_value());
      if (done > 1) REQUIRE(state.commit_rotation(3).has_value());
      if (done > 2) REQUIRE(state.forget_old().has_value());
      CHECK(state.is_forgotten().value() == (done == 0 || done == 3));
    }
    const bool after = done > 1;
    if (done == 2) CHECK(pair.load(Access::look).waiting() == 3);
    auto state = pair.load();
    CHECK(state.directory().epoch == (after ? 2 : 1));
    CHECK(state.waiting() == 0);
    CHECK(state.finalised() == (done == 2 || done == 3 ? 3 : 0));  // the directory of then does not know of the wipe
    CHECK(state.is_forgotten().value());
    for (const auto& folder : {pair.first_folder(), pair.mirror_folder()}) {
      const auto slots = pair.roots(folder);
      REQUIRE(slots.size() == 1);
      CHECK(slots.front().epoch == (after ? 2 : 1));
    }
    CHECK(pair.opens(before) == !after);
    rotate_pair(state);
    CHECK(pair.load().directory().epoch == (after ? 3 : 2));
    CHECK(!pair.opens(before));
  }
}

TEST_CASE("a keeper that was away is behind: it opens nothing, and what waits for it is final when it has forgotten") {
  for (const bool first_goes : {false, true}) {
    CAPTURE(first_goes);
    PairOfKeepers pair;
    const os::Path gone = first_goes ? pair.first_folder() : pair.mirror_folder();
    const os::Path here = first_goes ? pair.mirror_folder() : pair.first_folder();
    const Bytes before = pair.directory_file();
    pair.away(gone);
    {
      auto state = pair.load();
      rotate_pair(state, 2);
      CHECK(state.waiting() == 2);
      CHECK(!keys::forgotten_before(state.directory(), 2));
      REQUIRE(state.commit().has_value());
    }
    CHECK(!pair.opens(before));
    {
      auto state = pair.load();
      rotate_pair(state, 1);
      CHECK(state.waiting() == 3);
      CHECK(!state.bring_in_mirrors().value());
    }
    pair.away(here);
    pair.back(gone);
    CHECK(pair.refusal(Access::look) == Errc::corrupt);
    CHECK(pair.refusal() == Errc::corrupt);
    CHECK(pair.opens(before));  // which is why
    pair.back(here);
    {
      auto state = pair.load();
      CHECK(state.finalised() == 0);
      CHECK(state.bring_in_mirrors().value());
      CHECK(state.waiting() == 0);
      CHECK(state.finalised() == 3);
      CHECK(keys::forgotten_before(state.directory(), 3));
      REQUIRE(state.commit().has_value());
    }
    CHECK(!pair.opens(before));
    CHECK(pair.roots(gone).size() == 1);
    auto state = pair.load();
    CHECK(standings(state) == Standings{Standing::current, Standing::current});
    CHECK(state.finalised() == 0);
    pair.away(here);
    CHECK(pair.load().directory().epoch == 3);
  }
}

TEST_CASE("a keeper that was back for a moment: cut off before and after the commit that takes it in") {
  PairOfKeepers pair;
  pair.away(pair.mirror_folder());
  {
    auto state = pair.load();
    rotate_pair(state, 1);
  }
  pair.back(pair.mirror_folder());
  {  // staged, and the power went
    auto mirror = std::move(FileKeeper::open(pair.mirror_folder()).value());
    REQUIRE(mirror->stage(2, 1).has_value());
  }
  const Bytes behind = pair.directory_file();
  {
    auto state = pair.load();
    CHECK(standings(state) == Standings{Standing::current, Standing::behind});
    CHECK(state.waiting() == 1);
  }
  // Committed, and the old root not wiped: as if the wipe had been put back.
  const Bytes old_slots = pair.read(pair.mirror_folder() / "root");
  CHECK(pair.roots(pair.mirror_folder()).size() == 2);
  {
    auto state = pair.load();
    REQUIRE(state.bring_in_mirrors().value());
    CHECK(state.finalised() == 1);
  }
  CHECK(pair.load(Access::look).waiting() == 1);  // so the commit says, until the next one
  auto state = pair.load();
  CHECK(state.finalised() == 1);
  CHECK(state.waiting() == 0);
  CHECK(pair.directory_file() != behind);
  CHECK(pair.read(pair.mirror_folder() / "root") != old_slots);
}

TEST_CASE("an old copy of a keeper is a stranger: nothing is opened with it, and nothing in it is touched") {
  PairOfKeepers pair;
  const Bytes old_mirror = pair.read(pair.mirror_folder() / "root"),
              old_first = pair.read(pair.first_folder() / "root");
  {
    auto state = pair.load();
    rotate_pair(state, 1);
    REQUIRE(state.commit().has_value());
  }
  const Bytes new_first = pair.read(pair.first_folder() / "root");
  pair.write(pair.mirror_folder() / "root", old_mirror);
  {
    auto state = pair.load();
    CHECK(standings(state) == Standings{Standing::current, Standing::strange});
    CHECK(!state.bring_in_mirrors().value());
    CHECK(state.remove_mirror(pair.mirror_folder(), false).error().code == Errc::refused);
    rotate_pair(state, 1);
    CHECK(state.waiting() == 1);
  }
  CHECK(pair.read(pair.mirror_folder() / "root") == old_mirror);
  pair.away(pair.first_folder());
  CHECK(pair.refusal() == Errc::corrupt);
  pair.back(pair.first_folder());
  // The first is there, and old: the mirror does not decide against it.
  PairOfKeepers other;
  {
    auto state = other.load();
    rotate_pair(state);
  }
  other.write(other.first_folder() / "root", old_first);
  CHECK(other.refusal() == Errc::corrupt);
  CHECK(other.refusal(Access::look) == Errc::corrupt);
  CHECK(other.read(other.first_folder() / "root") == old_first);
}

TEST_CASE("a keeper that has forgotten the directory's epoch proves that the directory is old") {
  PairOfKeepers pair;
  const Bytes directory = pair.directory_file(), first = pair.read(pair.first_folder() / "root");
  {
    auto state = pair.load();
    rotate_pair(state);
  }
  pair.write(pair.layout.directory(), directory);
  CHECK(pair.refusal() == Errc::corrupt);
  pair.write(pair.first_folder() / "root", first);
  CHECK(pair.refusal() == Errc::corrupt);
  pair.away(pair.first_folder());
  CHECK(pair.refusal(Access::look) == Errc::corrupt);
}

TEST_CASE("a damaged keeper gives way to its mirror, and is behind at the next rotation") {
  PairOfKeepers pair;
  Bytes damaged = pair.read(pair.first_folder() / "root");
  damaged[8192 + 100] ^= std::byte{1};
  pair.write(pair.first_folder() / "root", damaged);
  auto state = pair.load();
  CHECK(state.opened_instead().find("damaged") != std::string::npos);
  rotate_pair(state, 1);
  CHECK(state.waiting() == 1);
  CHECK(pair.read(pair.first_folder() / "root") == damaged);
}

TEST_CASE("a mirror that fails to stage, or to wipe, leaves the shred waiting") {
  PairOfKeepers pair;
  auto state = pair.load();
  std::filesystem::resize_file(pair.mirror_folder() / "root", 4096);
  rotate_pair(state, 1);
  CHECK(state.waiting() == 1);
  PairOfKeepers other;
  auto later = other.load();
  REQUIRE(later.stage_root().has_value());
  REQUIRE(later.commit_rotation(1).has_value());
  std::filesystem::resize_file(other.mirror_folder() / "root", 4096);
  REQUIRE(later.forget_old().has_value());
  CHECK(later.waiting() == 1);
  CHECK(!keys::forgotten_before(later.directory(), 2));
}

TEST_CASE("a mirror is removed: wiped first, or on somebody's word") {
  PairOfKeepers pair;
  const Bytes before = pair.directory_file();
  const Bytes copy = pair.read(pair.mirror_folder() / "root");
  {
    auto state = pair.load();
    CHECK(state.remove_mirror(pair.first_folder(), true).error().code == Errc::refused);  // it opens the vault
    CHECK(state.remove_mirror("/nowhere", true).error().code == Errc::not_found);
    REQUIRE(state.remove_mirror(pair.mirror_folder(), false).has_value());
    REQUIRE(state.commit().has_value());
  }
  CHECK(!keys::open_keeper(pair.mirror_folder()).value()->read().has_value());
  auto state = pair.load();
  CHECK(standings(state) == Standings{Standing::current});
  rotate_pair(state, 1);
  CHECK(state.waiting() == 0);
  CHECK(!pair.opens(before));
  PairOfKeepers other;
  {
    auto mine = other.load();
    other.away(other.mirror_folder());
    auto absent = other.load();
    rotate_pair(absent, 2);
    CHECK(absent.remove_mirror(other.mirror_folder(), false).error().code == Errc::refused);
    CHECK(absent.waiting() == 2);
    REQUIRE(absent.remove_mirror(other.mirror_folder(), true).has_value());
    CHECK(absent.waiting() == 0);
    CHECK(absent.finalised() == 2);
    REQUIRE(absent.commit().has_value());
  }
  CHECK(other.load().directory().keepers.size() == 1);
}

TEST_CASE("a third keeper, and the first given up by the second") {
  PairOfKeepers pair;
  const os::Path third = pair.mirror_folder().parent_path() / "third";
  {
    auto state = pair.load();
    auto keeper = std::move(FileKeeper::create(third, true).value());
    REQUIRE(state.add_mirror(std::move(keeper), third, pair.first_folder()).has_value());
    REQUIRE(state.commit().has_value());
    rotate_pair(state, 1);
    CHECK(state.waiting() == 0);
  }
  CHECK(pair.roots(third).size() == 1);
  pair.away(pair.first_folder());
  {
    auto state = pair.load();
    CHECK(state.directory().keepers[2].path == "../other/third");
    REQUIRE(state.remove_mirror(pair.first_folder(), true).has_value());
    REQUIRE(state.commit().has_value());
    rotate_pair(state, 1);
    CHECK(state.waiting() == 0);
  }
  auto state = pair.load();
  CHECK(standings(state) == Standings{Standing::current, Standing::current});
  CHECK(state.directory().epoch == 3);
}

TEST_CASE("the head of a directory with keepers: every truncation and every flipped bit is damage") {
  PairOfKeepers pair;
  pair.away(pair.mirror_folder());
  {
    auto state = pair.load();
    rotate_pair(state, 7);
  }
  const Bytes file = pair.directory_file();
  const auto parts = keys::split_directory(file);
  REQUIRE(parts.has_value());
  CHECK(parts->head.epoch == 2);
  REQUIRE(parts->head.keepers.size() == 2);
  CHECK(parts->head.keepers[0].is_current());
  CHECK(!parts->head.keepers[1].is_current());
  CHECK(parts->head.keepers[1].waiting == 7);
  CHECK(keys::encode_head(2, parts->head.keepers).value() == base::to_bytes(parts->clear));
  const std::size_t head = parts->clear.size();
  for (std::size_t size = 0; size < head; ++size)
    CHECK(keys::split_directory(ByteView(file).first(size)).error().code == Errc::corrupt);
  auto keeper = std::move(FileKeeper::open(pair.first_folder()).value());
  for (std::size_t i = 0; i < head * 8; ++i) {
    CAPTURE(i);
    Bytes bad = file;
    bad[i / 8] ^= std::byte(1U << (i % 8));
    pair.write(pair.layout.directory(), bad);
    const auto state = KeyState::load(pair.layout, *keeper, Access::look);
    REQUIRE(!state.has_value());
    CHECK((state.error().code == Errc::corrupt || state.error().code == Errc::newer_version));
  }
}

TEST_CASE("a head is written within its bounds only") {
  keys::KeeperEntry entry;
  entry.path = "../vault.keeper";
  CHECK(keys::encode_head(1, std::vector(keys::kMaxKeepers, entry)).has_value());
  CHECK(keys::encode_head(1, std::vector(keys::kMaxKeepers + 1, entry)).error().code == Errc::refused);
  entry.path = "";
  CHECK(keys::encode_head(1, {entry}).error().code == Errc::refused);
  entry.path = std::string(5000, 'a');
  CHECK(keys::encode_head(1, {entry}).error().code == Errc::refused);
  auto two = keys::encode_head(1, {});
  REQUIRE(two.has_value());
  CHECK(two->size() == 24);
  (*two)[8] = std::byte{4};
  CHECK(keys::split_directory(*two).error().code == Errc::newer_version);
  (*two)[8] = std::byte{0};
  CHECK(keys::split_directory(*two).error().code == Errc::corrupt);
}

TEST_CASE("a head whose keeper has no place, or a longer one than can be, is damage") {
  keys::KeeperEntry entry;
  entry.path = "abcd";
  const Bytes good = keys::encode_head(1, {entry}).value();
  REQUIRE(keys::split_directory(good).has_value());
  constexpr std::size_t kLength = 24 + 2;  // behind the fixed part and the count
  REQUIRE(good[kLength] == std::byte{4});
  for (const std::size_t length : {0U, 4097U, 4096U}) {
    Bytes other(good.begin(), good.begin() + kLength);
    other.push_back(static_cast<std::byte>(length & 0xffU));
    other.push_back(static_cast<std::byte>(length >> 8U));
    other.insert(other.end(), length, std::byte{'a'});
    other.insert(other.end(), good.begin() + kLength + 2 + 4, good.end());
    CAPTURE(length);
    CHECK(keys::split_directory(other).has_value() == (length == 4096));
  }
}

TEST_CASE("a wrap opens with its own root only") {
  const auto slot = [](std::uint8_t n) {
    auto root = keys_test::fixed_key(n);
    const auto commitment = keys::keeper_commitment(root).value();
    return keys::KeeperSlot{1, commitment, std::move(root)};
  };
  keys::KeeperEntry entry;
  const auto mine = slot(1), other = slot(2);
  REQUIRE(keys::wrap_directory_key(entry, 5, mine, keys_test::fixed_key(9)).has_value());
  CHECK(entry.epoch == 5);
  CHECK(crypto::equal(keys::unwrap_directory_key(entry, mine)->reveal(), keys_test::fixed_key(9).reveal()));
  CHECK(keys::unwrap_directory_key(entry, other).error().code == Errc::corrupt);
  entry.epoch = 6;
  CHECK(keys::unwrap_directory_key(entry, mine).error().code == Errc::corrupt);
  entry.epoch = 5;
  entry.wrap[30] ^= std::byte{1};
  CHECK(keys::unwrap_directory_key(entry, mine).error().code == Errc::corrupt);
}

}  // namespace
