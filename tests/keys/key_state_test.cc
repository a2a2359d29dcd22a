// The key state with a real keeper: whatever call is the last before the power goes, the next load shows the state
// before the change or the one after it, and forgets the other.
#include "keys/key_state.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <fstream>
#include <functional>
#include <list>
#include <set>

#include "keys/file_keeper.h"
#include "keys/support.h"

namespace {

using namespace callvault;
using base::Bytes;
using base::ByteView;
using keys::FileKeeper;
using keys::KeyState;
using keys::NodeRow;
using Access = keys::KeyState::Access;
using keys_test::fixed_key;
using keys_test::id_of;

constexpr Time kNow{std::chrono::milliseconds(1'795'426'342'123)};
constexpr std::uint32_t kBucket = 1;

class World {
  keys_test::TempFolder temp_;

 public:
  World() : layout{temp_.path() / "vault"} {
    std::filesystem::create_directories(layout.buckets());
    std::filesystem::create_directories(layout.intake());
    keepers_.push_back(std::move(FileKeeper::create(keeper_folder(), true).value()));
    keys::Directory first;
    first.journal_seed = fixed_key(0x53);
    REQUIRE(KeyState::create(layout, *keepers_.back(), std::move(first), kNow).has_value());
  }

  os::Path keeper_folder() const { return temp_.path() / "vault.keeper"; }
  os::Path root_file() const { return keeper_folder() / "root"; }

  // The keeper as a process finds it that has just started. States keep theirs, so all stay.
  FileKeeper& keeper() {
    keepers_.push_back(std::move(FileKeeper::open(keeper_folder()).value()));
    return *keepers_.back();
  }
  std::vector<keys::KeeperSlot> roots() {
    auto slots = keeper().read();
    REQUIRE(slots.has_value());
    return std::move(*slots);
  }
  Result<KeyState> try_load(Access access) { return KeyState::load(layout, keeper(), access); }
  KeyState load(Access access = Access::change) {
    auto state = try_load(access);
    REQUIRE_MESSAGE(state.has_value(), (state ? std::string() : state.error().message));
    return std::move(*state);
  }

  std::set<std::string> node_files() const {
    std::set<std::string> out;
    for (const auto& entry : std::filesystem::directory_iterator(layout.buckets()))
      out.insert(entry.path().filename().string());
    return out;
  }
  std::set<std::string> intake_files() const {
    std::set<std::string> out;
    for (const auto& entry : std::filesystem::directory_iterator(layout.intake()))
      out.insert(entry.path().filename().string());
    return out;
  }
  Bytes read(const os::Path& path) const {
    auto bytes = os::read_file(path, 1 << 26);
    REQUIRE(bytes.has_value());
    return std::move(*bytes);
  }
  void write(const os::Path& path, ByteView bytes) const {
    std::ofstream out(path, std::ios::binary | std::ios::trunc);
    out << base::as_text(bytes);
    REQUIRE(out.good());
  }

  base::Layout layout;

 private:
  std::vector<std::unique_ptr<FileKeeper>> keepers_;
};

NodeRow row_of(std::uint8_t id, std::list<crypto::Key>& secrets) {
  NodeRow row;
  row.id = id_of(id);
  row.started_at = kNow;
  secrets.push_back(fixed_key(id));
  row.record_secret = secrets.back().reveal();
  return row;
}

// Makes bucket 1 hold these recordings, in the edited directory.
void stage(KeyState& state, const std::vector<std::uint8_t>& ids) {
  std::list<crypto::Key> secrets;
  std::vector<NodeRow> rows;
  for (const auto id : ids) rows.push_back(row_of(id, secrets));
  auto& buckets = state.edit().buckets;
  if (!buckets.contains(kBucket)) REQUIRE(state.add_bucket("default", 20780).has_value());
  REQUIRE(state.stage_node(buckets.at(kBucket), rows).has_value());
}

std::vector<std::uint8_t> ids_in(const KeyState& state) {
  std::vector<std::uint8_t> out;
  if (!state.directory().buckets.contains(kBucket)) return out;
  const auto node = state.open_node(kBucket);
  REQUIRE(node.has_value());
  const auto rows = node->rows();
  REQUIRE(rows.has_value());
  for (const auto& row : *rows) {
    out.push_back(static_cast<std::uint8_t>(row.id.bytes()[0]));
    CHECK(crypto::equal(row.record_secret, fixed_key(out.back()).reveal()));
  }
  return out;
}

using Ids = std::vector<std::uint8_t>;

void rotate(KeyState& state) {
  REQUIRE(state.stage_root().has_value());
  REQUIRE(state.commit_rotation().has_value());
  REQUIRE(state.forget_old().has_value());
}

Errc code_of(const Result<void>& result) { return result ? Errc::interrupted : result.error().code; }
Errc code_of(const Result<KeyState>& result) { return result ? Errc::interrupted : result.error().code; }

TEST_CASE("a new key state has one root, one intake key, no bucket") {
  World world;
  const auto state = world.load(Access::look);
  CHECK(state.directory().epoch == 1);
  CHECK(state.directory().buckets.empty());
  REQUIRE(state.directory().intake.size() == 1);
  const auto lease = keys::acquire_intake(world.layout);
  REQUIRE(lease.has_value());
  const auto& key = state.directory().intake.begin()->second;
  CHECK(lease->key.id == key.id);
  CHECK(lease->key.public_key == *crypto::public_key_of(key.secret));
  CHECK(crypto::equal(lease->key.pepper.reveal(), key.pepper.reveal()));
  CHECK(world.roots().size() == 1);
}

TEST_CASE("what is committed is there after a load, what is only staged is not") {
  World world;
  {
    auto state = world.load();
    stage(state, {3, 1, 2});
    REQUIRE(state.commit().has_value());
  }
  {
    auto state = world.load();
    CHECK(ids_in(state) == Ids{1, 2, 3});
    CHECK(state.directory().buckets.at(kBucket).recordings == 3);
    CHECK(state.directory().buckets.at(kBucket).node_hash ==
          crypto::blake2b(world.read(world.layout.node(kBucket, 1))));
    stage(state, {1, 2, 3, 4});
  }
  CHECK(world.node_files() == std::set<std::string>{"1.1", "1.2"});
  CHECK(ids_in(world.load(Access::look)) == Ids{1, 2, 3});
  CHECK(world.node_files() == std::set<std::string>{"1.1", "1.2"});  // a look removes nothing
  CHECK(ids_in(world.load()) == Ids{1, 2, 3});
  CHECK(world.node_files() == std::set<std::string>{"1.1"});
}

TEST_CASE("a leftover of a crashed attempt is written over, under another key") {
  World world;
  {
    auto state = world.load();
    stage(state, {1});
  }
  const Bytes leftover = world.read(world.layout.node(kBucket, 1));
  auto state = world.load(Access::look);
  stage(state, {1});
  REQUIRE(state.commit().has_value());
  CHECK(world.read(world.layout.node(kBucket, 1)) != leftover);
  CHECK(ids_in(world.load()) == Ids{1});
}

TEST_CASE("a bucket without survivors is dropped") {
  World world;
  {
    auto state = world.load();
    stage(state, {1, 2});
    REQUIRE(state.commit().has_value());
    stage(state, {});
    rotate(state);
    const auto node = state.open_node(kBucket);
    REQUIRE(!node.has_value());
    CHECK(node.error().code == Errc::not_found);
  }
  auto state = world.load();
  CHECK(state.directory().buckets.empty());
  CHECK(world.node_files().empty());
  // Its number is never given out again.
  const auto bucket = state.add_bucket("default", 20780);
  REQUIRE(bucket.has_value());
  CHECK((*bucket)->number == kBucket + 1);
}

// One change and its steps, as a shred takes them.
const std::vector<std::function<void(KeyState&)>> kSteps = {
    [](KeyState& s) { stage(s, {2}); },
    [](KeyState& s) { REQUIRE(s.stage_root().has_value()); },
    [](KeyState& s) { REQUIRE(s.commit_rotation().has_value()); },
    [](KeyState& s) { REQUIRE(s.forget_old().has_value()); },
    [](KeyState& s) { REQUIRE(s.remove_superseded().has_value()); },
};
constexpr std::size_t kCommitted = 3;  // that many steps make the change stand

TEST_CASE("stopped after any step of a rotation, the next load has the old state or the new, and one root") {
  for (std::size_t done = 0; done <= kSteps.size(); ++done) {
    CAPTURE(done);
    World world;
    {
      auto state = world.load();
      stage(state, {1, 2});
      REQUIRE(state.commit().has_value());
    }
    const Bytes old_directory = world.read(world.layout.directory());
    const Bytes old_node = world.read(world.layout.node(kBucket, 1));
    {
      auto state = world.load();
      for (std::size_t i = 0; i < done; ++i) kSteps[i](state);
    }
    const bool after = done >= kCommitted;
    const std::size_t slots_before = world.roots().size();
    {
      const auto look = world.load(Access::look);
      CHECK(ids_in(look) == (after ? Ids{2} : Ids{1, 2}));
      CHECK(world.roots().size() == slots_before);
      CHECK(slots_before == ((done == 2 || done == 3) ? 2 : 1));
    }
    {
      const auto state = world.load();
      CHECK(ids_in(state) == (after ? Ids{2} : Ids{1, 2}));
      CHECK(state.directory().epoch == (after ? 2 : 1));
    }
    const auto slots = world.roots();
    REQUIRE(slots.size() == 1);
    CHECK(slots.front().epoch == (after ? 2 : 1));
    CHECK(!*world.keeper().unfinished());
    CHECK(world.node_files() == std::set<std::string>{after ? "1.2" : "1.1"});
    // Whoever kept the old bytes: they open exactly while the change does not stand.
    CHECK(keys::open_directory(old_directory, slots.front().root).has_value() == !after);

    // And it can be used: a settling, then the same change.
    auto state = world.load();
    stage(state, {1, 2, 5});
    REQUIRE(state.commit().has_value());
    for (const auto& step : kSteps) step(state);
    CHECK(ids_in(world.load()) == Ids{2});
    CHECK(world.load().directory().epoch == (after ? 3 : 2));
  }
}

TEST_CASE("the old root opens old bytes, the present one never: what is forgotten is the root") {
  World world;
  auto state = world.load();
  stage(state, {1, 2});
  REQUIRE(state.commit().has_value());
  const Bytes old_directory = world.read(world.layout.directory());
  const Bytes old_node = world.read(world.layout.node(kBucket, 1));
  auto old_root = std::move(world.roots().front().root);
  auto fresh = world.load();
  stage(fresh, {2});
  rotate(fresh);
  const auto with_old = keys::open_directory(old_directory, old_root);
  REQUIRE(with_old.has_value());
  CHECK(keys::open_node(old_node, kBucket, 1, with_old->buckets.at(kBucket).node_key).has_value());
  for (const auto& slot : world.roots()) {
    CHECK(!keys::open_directory(old_directory, slot.root).has_value());
    const auto present = world.load(Access::look).directory().clone();
    REQUIRE(present.has_value());
    CHECK(!keys::open_node(old_node, kBucket, 1, present->buckets.at(kBucket).node_key).has_value());
  }
}

TEST_CASE("no root, node key, index key or intake key ever comes twice") {
  World world;
  std::set<std::string> seen;
  std::size_t drawn = 0;
  const auto fresh = [&](const crypto::Key& key) {
    ++drawn;
    seen.insert(base::to_hex(key.reveal()));
  };
  for (int round = 0; round < 12; ++round) {
    auto state = world.load();
    if (round % 3 == 0) {
      // An attempt that never stands spends its keys all the same.
      stage(state, {9});
      fresh(state.directory().buckets.at(kBucket).node_key);
      REQUIRE(state.stage_root().has_value());
      for (const auto& slot : world.roots())
        if (slot.epoch > world.load(Access::look).directory().epoch) fresh(slot.root);
      state = world.load();
    }
    stage(state, {1, static_cast<std::uint8_t>(2 + round)});
    fresh(state.directory().buckets.at(kBucket).node_key);
    REQUIRE(state.commit().has_value());
    stage(state, {1});
    fresh(state.directory().buckets.at(kBucket).node_key);
    const auto intake = state.add_intake(kNow);
    REQUIRE(intake.has_value());
    fresh(state.directory().intake.at(*intake).secret);
    fresh(state.directory().intake.at(*intake).pepper);
    const auto other = state.add_bucket("default", 20781 + round);
    REQUIRE(other.has_value());
    fresh((*other)->node_key);
    fresh((*other)->index_key);
    rotate(state);
    fresh(world.roots().front().root);
  }
  CHECK(seen.size() == drawn);
}

TEST_CASE("an older node under the present directory does not open") {
  World world;
  auto state = world.load();
  stage(state, {1, 2});
  REQUIRE(state.commit().has_value());
  const Bytes first = world.read(world.layout.node(kBucket, 1));
  stage(state, {2});
  REQUIRE(state.commit().has_value());
  const Bytes second = world.read(world.layout.node(kBucket, 2));
  world.write(world.layout.node(kBucket, 2), first);
  const auto node = world.load(Access::look).open_node(kBucket);
  REQUIRE(!node.has_value());
  CHECK(node.error().code == Errc::corrupt);
  Bytes renamed = first;
  std::copy_n(second.begin(), 24, renamed.begin());  // with the present one's first bytes
  world.write(world.layout.node(kBucket, 2), renamed);
  CHECK(world.load(Access::look).open_node(kBucket).error().code == Errc::corrupt);
  REQUIRE(os::remove_file(world.layout.node(kBucket, 2)).has_value());
  CHECK(world.load(Access::look).open_node(kBucket).error().code == Errc::corrupt);
  world.write(world.layout.node(kBucket, 2), second);
  CHECK(ids_in(world.load()) == Ids{2});
}

TEST_CASE("an old directory or an old keeper is refused, and nothing is wiped or removed") {
  World world;
  auto state = world.load();
  stage(state, {1, 2});
  REQUIRE(state.commit().has_value());
  const Bytes old_directory = world.read(world.layout.directory());
  const Bytes old_keeper = world.read(world.root_file());
  stage(state, {2});
  rotate(state);
  const Bytes new_directory = world.read(world.layout.directory());
  const Bytes new_keeper = world.read(world.root_file());
  const auto refused = [&](ByteView directory, ByteView keeper) {
    world.write(world.layout.directory(), directory);
    world.write(world.root_file(), keeper);
    const auto files = world.node_files();
    const auto intake = world.intake_files();
    for (const Access access : {Access::look, Access::change}) {
      CHECK(code_of(world.try_load(access)) == Errc::corrupt);
      CHECK(world.read(world.root_file()) == base::to_bytes(keeper));
      CHECK(world.read(world.layout.directory()) == base::to_bytes(directory));
      CHECK(world.node_files() == files);
      CHECK(world.intake_files() == intake);
    }
  };
  refused(old_directory, new_keeper);
  refused(new_directory, old_keeper);
  Bytes relabelled = old_directory;
  std::copy_n(new_directory.begin(), 24, relabelled.begin());  // the old content under the present epoch
  refused(relabelled, new_keeper);
  refused({}, new_keeper);
  Bytes damaged = new_directory;
  damaged[100] ^= std::byte{1};
  refused(damaged, new_keeper);
  world.write(world.layout.directory(), new_directory);
  CHECK(ids_in(world.load()) == Ids{2});
  REQUIRE(os::remove_file(world.layout.directory()).has_value());
  CHECK(code_of(world.try_load(Access::change)) == Errc::corrupt);
  CHECK(world.roots().size() == 1);
}

TEST_CASE("an old directory of the present epoch removes no node: the right one may come back") {
  World world;
  {
    auto state = world.load();
    stage(state, {1});
    REQUIRE(state.commit().has_value());
  }
  const Bytes yesterday = world.read(world.layout.directory());
  {
    auto state = world.load();
    stage(state, {1, 2});
    REQUIRE(state.commit().has_value());
    REQUIRE(state.remove_superseded().has_value());
  }
  const Bytes today = world.read(world.layout.directory());
  world.write(world.layout.directory(), yesterday);
  {
    const auto state = world.load();
    CHECK(state.open_node(kBucket).error().code == Errc::corrupt);
  }
  CHECK(world.node_files() == std::set<std::string>{"1.2"});
  world.write(world.layout.directory(), today);
  CHECK(ids_in(world.load()) == Ids{1, 2});
}

TEST_CASE("a rotation whose commit failed goes no further: the next load decides") {
  World world;
  {
    auto state = world.load();
    stage(state, {1, 2});
    REQUIRE(state.commit().has_value());
  }
  const os::Path obstacle = world.layout.keys() / ("directory.new-" + std::to_string(::getpid()));
  {
    auto state = world.load();
    stage(state, {2});
    REQUIRE(state.stage_root().has_value());
    CHECK(code_of(state.forget_old()) == Errc::unexpected);  // it would wipe what is about to count
    std::filesystem::create_directories(obstacle / "x");
    REQUIRE(!state.commit_rotation().has_value());
    std::filesystem::remove_all(obstacle);
    CHECK(code_of(state.commit_rotation()) == Errc::unexpected);
    CHECK(code_of(state.commit()) == Errc::unexpected);
    CHECK(code_of(state.stage_root()) == Errc::unexpected);
    CHECK(code_of(state.forget_old()) == Errc::unexpected);
    CHECK(world.roots().size() == 2);
  }
  CHECK(ids_in(world.load()) == Ids{1, 2});
  CHECK(world.roots().size() == 1);
  auto state = world.load();
  CHECK(code_of(state.commit_rotation()) == Errc::unexpected);  // nothing is staged
}

TEST_CASE("a load for a change makes keys/intake what the directory says; a look leaves it") {
  World world;
  std::uint32_t next = 0;
  {
    auto state = world.load();
    next = *state.add_intake(kNow);
    REQUIRE(state.commit().has_value());  // and a crash before it is published
  }
  const auto newest = [&] { return world.layout.intake() / std::to_string(next); };
  (void)world.load(Access::look);
  CHECK(world.intake_files() == std::set<std::string>{"1"});
  (void)world.load();
  CHECK(world.intake_files() == std::set<std::string>{"1", "2"});
  CHECK(keys::acquire_intake(world.layout)->key.id == next);

  const Bytes whole = world.read(newest());
  Bytes damaged = whole;
  damaged[30] ^= std::byte{4};
  for (const Bytes& bad : {damaged, Bytes(), Bytes(5000)}) {
    world.write(newest(), bad);
    (void)world.load();
    CHECK(world.read(newest()) == whole);
  }
  // Nobody could open what is sealed to a key that the directory does not hold.
  world.write(world.layout.intake() / "9", whole);
  world.write(world.layout.intake() / "3.new", whole);
  (void)world.load(Access::look);
  CHECK(world.intake_files() == std::set<std::string>{"1", "2", "3.new", "9"});
  (void)world.load();
  CHECK(world.intake_files() == std::set<std::string>{"1", "2"});
  CHECK(keys::acquire_intake(world.layout)->key.id == next);
}

TEST_CASE("a retired intake key's file does not outlive the next load") {
  World world;
  {
    auto state = world.load();
    const auto next = state.add_intake(kNow);
    REQUIRE(state.commit().has_value());
    REQUIRE(state.publish_intake(*next).has_value());
    state.edit().intake.erase(1);
    rotate(state);  // and a crash before the file is unlinked
  }
  CHECK(world.intake_files() == std::set<std::string>{"1", "2"});
  (void)world.load();
  CHECK(world.intake_files() == std::set<std::string>{"2"});
}

TEST_CASE("what an interrupted replacement of the directory left goes with the next load") {
  World world;
  const os::Path leftover = world.layout.keys() / "directory.new-4711";
  world.write(leftover, base::as_bytes("half"));
  (void)world.load(Access::look);
  CHECK(os::exists(leftover));
  (void)world.load();
  CHECK(!os::exists(leftover));
}

TEST_CASE("recorders of a group can read what is published, others cannot") {
  World world;
  const auto mode = [&](const std::string& name) { return *os::mode_of(world.layout.intake() / name) & 0777U; };
  CHECK(mode("1") == 0600);
  REQUIRE(os::set_mode(world.layout.intake(), 02750).has_value());
  auto state = world.load();
  const auto next = state.add_intake(kNow);
  REQUIRE(state.publish_intake(*next).has_value());
  CHECK(mode(std::to_string(*next)) == 0640);
  CHECK((*os::mode_of(world.layout.directory()) & 0777U) == 0600);
}

TEST_CASE("no secret lies outside an envelope, whatever is written") {
  World world;
  auto state = world.load();
  stage(state, {1, 2});
  REQUIRE(state.commit().has_value());
  const auto next = state.add_intake(kNow);
  REQUIRE(state.publish_intake(*next).has_value());
  stage(state, {2});
  rotate(state);
  std::vector<Bytes> secrets{base::to_bytes(fixed_key(1).reveal()), base::to_bytes(fixed_key(2).reveal()),
                             base::to_bytes(state.directory().journal_seed->reveal()),
                             base::to_bytes(world.roots().front().root.reveal())};
  for (const auto& [number, bucket] : state.directory().buckets) {
    secrets.push_back(base::to_bytes(bucket.node_key.reveal()));
    secrets.push_back(base::to_bytes(bucket.index_key.reveal()));
  }
  for (const auto& [id, key] : state.directory().intake) secrets.push_back(base::to_bytes(key.secret.reveal()));
  std::size_t files = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(world.layout.root.parent_path())) {
    if (!entry.is_regular_file()) continue;
    ++files;
    const Bytes bytes = world.read(entry.path());
    for (const auto& secret : secrets)
      CHECK(std::search(bytes.begin(), bytes.end(), secret.begin(), secret.end()) == bytes.end());
  }
  CHECK(files == 6 + 8);  // directory, two nodes, two intake keys, keeper; room set aside
}

}  // namespace
