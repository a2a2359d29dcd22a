// Keepers that answer what they are told to: which answers of which keeper decide what.
#include <fstream>

#include "keys/file_keeper.h"
#include "keys/key_state.h"
#include "keys/open_keeper.h"
#include "keys/support.h"

namespace {

using namespace callvault;
using keys::FileKeeper;
using keys::Keepers;
using keys::KeyState;
using keys::Standing;

// A keeper in front of another one; while `error` is set, the calls named in `failing` answer with it.
class Answering final : public keys::Keeper {
 public:
  explicit Answering(keys::Keeper& real) : real_(&real) {}
  Result<std::vector<keys::KeeperSlot>> read() override {
    if (fails("read")) return *error;
    auto slots = real_->read();
    if (slots && twice && !slots->empty()) {
      keys::KeeperSlot more{slots->front().epoch + 1, {}, slots->front().root.clone().value()};
      slots->push_back(std::move(more));
    }
    if (slots && other_epoch)
      for (auto& slot : *slots) slot.epoch += 7;
    return slots;
  }
  Result<keys::KeeperSlot> stage(std::uint64_t epoch, std::optional<std::uint64_t> current) override {
    if (fails("stage")) return *error;
    return real_->stage(epoch, current);
  }
  Result<void> wipe_all_but(std::uint64_t epoch) override {
    if (fails("wipe")) return *error;
    return real_->wipe_all_but(epoch);
  }
  Result<void> wipe_all() override { return real_->wipe_all(); }
  Result<bool> unfinished() override {
    if (fails("unfinished")) return *error;
    if (half) return true;
    return real_->unfinished();
  }
  keys::KeeperDescription describe() const override { return real_->describe(); }

  std::optional<Error> error;
  std::string failing;
  bool twice = false, other_epoch = false, half = false;

 private:
  bool fails(const std::string& call) const { return error && failing.find(call) != std::string::npos; }
  keys::Keeper* real_;
};

struct Two {
  keys_test::TempFolder temp;
  base::Layout layout{temp.path() / "vault"};
  os::Path first_folder = temp.path() / "vault.keeper", mirror_folder = temp.path() / "other" / "mirror";
  std::unique_ptr<FileKeeper> real = make(first_folder);
  Answering first{*real};

  explicit Two(bool with_mirror = true) {
    std::filesystem::create_directories(layout.buckets());
    std::filesystem::create_directories(layout.intake());
    std::filesystem::create_directories(mirror_folder.parent_path());
    keys::Directory directory;
    directory.journal_seed = keys_test::fixed_key(0x53);
    REQUIRE(KeyState::create(layout, first, std::move(directory), Time{}).has_value());
    if (!with_mirror) return;
    auto state = load();
    REQUIRE(state.add_mirror(make(mirror_folder), mirror_folder, first_folder).has_value());
    REQUIRE(state.commit().has_value());
  }
  static std::unique_ptr<FileKeeper> make(const os::Path& folder) {
    auto made = FileKeeper::create(folder, true);
    REQUIRE(made.has_value());
    return std::move(*made);
  }
  Result<KeyState> try_load(KeyState::Access access = KeyState::Access::look) {
    return KeyState::load(layout, first, access);
  }
  KeyState load(KeyState::Access access = KeyState::Access::change) {
    auto state = try_load(access);
    REQUIRE_MESSAGE(state.has_value(), (state ? std::string() : state.error().message));
    return std::move(*state);
  }
  void answer(Errc code, const std::string& to) {
    first.error = Error{code, "as told"};
    first.failing = to;
  }
};

std::vector<Standing> standings_of(KeyState& state) {
  std::vector<Standing> out;
  for (const auto& view : state.keepers()) out.push_back(view.standing);
  return out;
}

void turn(KeyState& state, std::uint64_t shreds = 0) {
  REQUIRE(state.stage_root().has_value());
  REQUIRE(state.commit_rotation(shreds).has_value());
  REQUIRE(state.forget_old().has_value());
}

void spoil_file(const os::Path& folder) { std::filesystem::resize_file(folder / "root", 4096); }

}  // namespace

TEST_CASE("a mirror opens for a first keeper that is lost, and for no other answer of it") {
  Two two;
  for (const Errc lost : {Errc::corrupt, Errc::io, Errc::not_found}) {
    two.answer(lost, "read unfinished");
    auto state = two.try_load();
    REQUIRE(state.has_value());
    CHECK(state->opened_instead().find("as told") != std::string::npos);
  }
  for (const Errc other : {Errc::newer_version, Errc::refused, Errc::unexpected}) {
    two.answer(other, "read");
    const auto state = two.try_load();
    REQUIRE_FALSE(state.has_value());
    CHECK(state.error().code == other);
  }
}

TEST_CASE("a first keeper with other roots decides nothing, unless the slot that is missing is damaged") {
  Two two;
  auto stranger = Two::make(two.temp.path() / "stranger");
  REQUIRE(stranger->stage(9, std::nullopt).has_value());
  Answering other(*stranger);
  const auto refused = KeyState::load(two.layout, other, KeyState::Access::look);
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().code == Errc::corrupt);
  CHECK(refused.error().message.find("old copy") != std::string::npos);
  other.failing = "unfinished";
  other.error = Error{Errc::corrupt, "slot 1 is damaged"};
  const auto by_mirror = KeyState::load(two.layout, other, KeyState::Access::look);
  REQUIRE(by_mirror.has_value());
  CHECK(by_mirror->opened_instead().find("slot 1 is damaged") != std::string::npos);
  other.error = Error{Errc::newer_version, "slot 1 is newer"};
  const auto newer = KeyState::load(two.layout, other, KeyState::Access::look);
  REQUIRE_FALSE(newer.has_value());
  CHECK(newer.error().code == Errc::newer_version);
}

TEST_CASE("a root is forgotten only when its keeper shows one root, of this epoch, and nothing half wiped") {
  Two alone(false);
  auto state = alone.load();
  turn(state);
  CHECK(state.is_forgotten().value());
  alone.first.half = true;
  CHECK_FALSE(state.is_forgotten().value());
  alone.first.half = false;
  alone.first.twice = true;
  CHECK_FALSE(state.is_forgotten().value());
  alone.first.twice = false;
  alone.first.other_epoch = true;
  CHECK_FALSE(state.is_forgotten().value());
  alone.first.other_epoch = false;
  CHECK(state.is_forgotten().value());
}

TEST_CASE("the keeper that opens the vault must take the next root, and must forget the old one") {
  Two two;
  auto state = two.load();
  two.answer(Errc::io, "stage");
  CHECK(state.stage_root().error().code == Errc::io);
  two.first.error.reset();
  REQUIRE(state.stage_root().has_value());
  REQUIRE(state.commit_rotation(1).has_value());
  two.answer(Errc::io, "wipe");
  CHECK(state.forget_old().error().code == Errc::io);
  CHECK(state.waiting() == 1);
  two.first.error.reset();
  REQUIRE(state.forget_old().has_value());
  CHECK(state.waiting() == 0);
}

TEST_CASE("a mirror that is named after the roots were staged is behind, and comes in later") {
  Two two;
  auto state = two.load();
  const os::Path third = two.temp.path() / "third";
  REQUIRE(state.stage_root().has_value());
  REQUIRE(state.add_mirror(Two::make(third), third, two.first_folder).has_value());
  REQUIRE(state.commit_rotation(1).has_value());
  REQUIRE(state.forget_old().has_value());
  CHECK(standings_of(state) == std::vector{Standing::current, Standing::current, Standing::behind});
  CHECK(state.waiting() == 1);
  REQUIRE(state.bring_in_mirrors().value());
  CHECK(state.waiting() == 0);
  auto again = two.load();
  CHECK(standings_of(again) == std::vector{Standing::current, Standing::current, Standing::current});
}

TEST_CASE("nothing is staged by a keeper that was not asked to") {
  Two two(false);
  const auto head = keys::split_directory(os::read_file(two.layout.directory(), 1 << 20).value())->head;
  auto keepers = Keepers::open(two.layout, two.first, head, Keepers::Reach::all);
  REQUIRE(keepers.has_value());
  keys::Directory directory;
  CHECK(keepers->take_staged(directory, 0).error().code == Errc::unexpected);
  CHECK(directory.epoch == 0);
}

TEST_CASE("a mirror that cannot take a root when it comes back stays behind and says why") {
  Two two;
  {
    std::filesystem::rename(two.mirror_folder, two.mirror_folder.string() + ".away");
    auto state = two.load();
    turn(state, 2);
    std::filesystem::rename(two.mirror_folder.string() + ".away", two.mirror_folder);
  }
  auto state = two.load();
  CHECK(standings_of(state) == std::vector{Standing::current, Standing::behind});
  spoil_file(two.mirror_folder);
  CHECK_FALSE(state.bring_in_mirrors().value());
  CHECK(state.waiting() == 2);
  const auto views = state.keepers();
  CHECK(views[1].standing == Standing::behind);
  CHECK_FALSE(views[1].problem.empty());
  CHECK(views[1].epochs.empty());  // it cannot be read now
}

TEST_CASE("a mirror that is damaged says what, one that is not there says that") {
  Two two;
  two.answer(Errc::io, "read");
  for (const auto& folder : {two.first_folder, two.mirror_folder}) std::filesystem::resize_file(folder / "root", 10);
  const auto damaged = two.try_load();
  REQUIRE_FALSE(damaged.has_value());
  CHECK(damaged.error().message.find("as told; ") != std::string::npos);
  CHECK(damaged.error().message.find("no keeper in") == std::string::npos);
  std::filesystem::remove_all(two.mirror_folder);
  const auto missing = two.try_load();
  REQUIRE_FALSE(missing.has_value());
  CHECK(missing.error().message.find("no keeper in " + two.mirror_folder.string()) != std::string::npos);
}

TEST_CASE("a mirror that forgot meanwhile is told when it is asked") {
  Two two;
  auto old = two.load(KeyState::Access::look);  // has not asked the mirror yet
  {
    auto state = two.load();
    turn(state);
  }
  const auto views = old.keepers();
  CHECK(views[1].standing == Standing::missing);
  CHECK(views[1].problem.find("has forgotten epoch") != std::string::npos);
}

TEST_CASE("no keeper becomes one of two when its own root has gone") {
  Two two(false);
  auto state = two.load();
  two.first.other_epoch = true;
  const auto refused = state.add_mirror(Two::make(two.mirror_folder), two.mirror_folder, two.first_folder);
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().code == Errc::unexpected);
  CHECK(state.directory().keepers.empty());
}

TEST_CASE("a keeper beside the vault is named from there, any other by its whole path") {
  const std::string name = "callvault-beside-" + std::to_string(::getpid());
  for (const bool beside : {true, false}) {
    Two two(false);
    auto state = two.load();
    const os::Path there = beside ? two.temp.path() / "mirror" : two.temp.path().parent_path() / name;
    REQUIRE(state.add_mirror(Two::make(there), there, two.temp.path()).has_value());
    CHECK(state.directory().keepers[0].path == two.temp.path().string());  // where the vault's folder itself is
    CHECK(state.directory().keepers[1].path == (beside ? "../mirror" : there.string()));
    std::filesystem::remove_all(there);
  }
  Two two(false);
  auto state = two.load();
  // A path from nowhere has no way from the vault.
  REQUIRE(state.add_mirror(Two::make(two.mirror_folder), two.mirror_folder, "elsewhere/keeper").has_value());
  CHECK(state.directory().keepers[0].path == "elsewhere/keeper");
}
