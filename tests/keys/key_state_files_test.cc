// Files of the key state that cannot be read, are not there, or would be too large.
#include <sys/stat.h>
#include <unistd.h>

#include "keys/file_keeper.h"
#include "keys/key_state.h"
#include "keys/support.h"

namespace {

using namespace callvault;
using keys::FileKeeper;
using keys::KeyState;
using Look = keys::KeyState::Access;

struct Place {
  keys_test::TempFolder temp;
  base::Layout layout{temp.path() / "vault"};
  std::unique_ptr<FileKeeper> keeper;

  Place() {
    std::filesystem::create_directories(layout.buckets());
    std::filesystem::create_directories(layout.intake());
    keeper = std::move(FileKeeper::create(temp.path() / "vault.keeper", true).value());
    keys::Directory first;
    first.journal_seed = keys_test::fixed_key(0x53);
    REQUIRE(KeyState::create(layout, *keeper, std::move(first), Time{}).has_value());
  }
  KeyState load(Look access = Look::change) {
    auto state = KeyState::load(layout, *keeper, access);
    REQUIRE_MESSAGE(state.has_value(), (state ? std::string() : state.error().message));
    return std::move(*state);
  }
  Errc refusal(Look access = Look::change) {
    const auto state = KeyState::load(layout, *keeper, access);
    return state ? Errc::interrupted : state.error().code;
  }
};

const crypto::Key& row_secret() {
  static const crypto::Key key = keys_test::fixed_key(0x50);
  return key;
}

keys::NodeRow bare_row(std::uint8_t id) {
  keys::NodeRow row;
  row.id = keys_test::id_of(id);
  row.record_secret = row_secret().reveal();
  return row;
}

std::uint32_t bucket_with(KeyState& state, std::vector<keys::NodeRow> rows) {
  const std::uint32_t number = (*state.add_bucket("default", 20780))->number;
  REQUIRE(state.stage_node(state.edit().buckets.at(number), rows).has_value());
  return number;
}

template <typename T>
Errc code_of_answer(const Result<T>& result) {
  return result ? Errc::interrupted : result.error().code;
}

// In the place of a file: opening it ends in a circle, which is neither damage nor absence.
void make_unreadable(const os::Path& path) {
  std::filesystem::remove(path);
  std::filesystem::create_symlink(path.filename(), path);
}

}  // namespace

TEST_CASE("a directory that is missing, too large or cannot be read is told as that") {
  Place place;
  const auto file = place.layout.directory();
  std::filesystem::rename(file, file.string() + ".kept");
  CHECK(place.refusal() == Errc::corrupt);
  make_unreadable(file);
  CHECK(place.refusal() == Errc::io);
  std::filesystem::remove(file);
  std::filesystem::rename(file.string() + ".kept", file);
  std::filesystem::resize_file(file, keys::kMaxDirectoryBytes + 1);
  CHECK(place.refusal() == Errc::corrupt);
}

TEST_CASE("a node that is missing is damage, one that cannot be read is not, and a bucket without one is empty") {
  Place place;
  auto state = place.load();
  const auto fresh = (*state.add_bucket("default", 20781))->number;
  CHECK_FALSE(state.read_node(fresh)->find(keys_test::id_of(1))->has_value());
  CHECK(state.open_node(fresh)->size() == 0);
  CHECK(code_of_answer(state.read_node(99)) == Errc::not_found);
  REQUIRE(state.refill_spare().has_value());  // that bucket has no node that would count

  const auto number = bucket_with(state, {bare_row(1)});
  const auto path = place.layout.node(number, 1);
  CHECK(state.read_node(number)->find(keys_test::id_of(1))->has_value());
  make_unreadable(path);
  CHECK(code_of_answer(state.open_node(number)) == Errc::io);
  CHECK(code_of_answer(state.read_node(number)) == Errc::io);
  std::filesystem::remove(path);
  CHECK(code_of_answer(state.open_node(number)) == Errc::corrupt);
  CHECK(code_of_answer(state.read_node(number)) == Errc::corrupt);
  CHECK(state.refill_spare().has_value());
}

TEST_CASE("a register that is missing is damage, one that cannot be read is not") {
  Place place;
  auto state = place.load();
  CHECK_FALSE(state.read_register("requests")->has_value());
  CHECK(state.register_index_key("requests").has_value());  // named, and nothing kept in it
  CHECK_FALSE(state.read_register("requests")->has_value());
  REQUIRE(state.stage_register("requests", base::as_bytes("what was asked")).has_value());
  CHECK(base::as_text(**state.read_register("requests")) == "what was asked");
  const auto path = place.layout.register_file("requests", 1);
  make_unreadable(path);
  CHECK(code_of_answer(state.read_register("requests")) == Errc::io);
  std::filesystem::remove(path);
  CHECK(code_of_answer(state.read_register("requests")) == Errc::corrupt);
}

TEST_CASE("an intake key that cannot be read stops a change, and is not replaced") {
  Place place;
  const auto path = place.layout.intake() / "1";
  make_unreadable(path);
  CHECK(place.refusal(Look::look) == Errc::interrupted);
  CHECK(place.refusal() == Errc::io);
  CHECK(std::filesystem::is_symlink(path));
}

TEST_CASE("a key state without intake keys publishes none") {
  Place place;
  auto state = place.load();
  CHECK(code_of_answer(state.publish_intake(99)) == Errc::unexpected);
  state.edit().intake.clear();
  REQUIRE(state.commit().has_value());
  place.load();
  CHECK(os::list_folder(place.layout.intake())->empty());
}

TEST_CASE("a published key of another group than its folder's is given back to it") {
  if (::geteuid() != 0) {
    MESSAGE("SKIPPED: files of another group: needs root");
    return;
  }
  Place place;
  const auto path = place.layout.intake() / "1";
  constexpr gid_t kOther = 61'003;
  REQUIRE(::chmod(place.layout.intake().c_str(), 02700) == 0);
  REQUIRE(::chown(path.c_str(), static_cast<uid_t>(-1), kOther) == 0);
  place.load();
  struct stat st {};
  REQUIRE(::stat(path.c_str(), &st) == 0);
  CHECK(st.st_gid != kOther);
}

TEST_CASE("a bucket's number is never given twice") {
  Place place;
  auto state = place.load();
  const auto number = (*state.add_bucket("default", 20780))->number;
  state.edit().next_bucket = number;
  CHECK(code_of_answer(state.add_bucket("default", 20781)) == Errc::corrupt);
}

TEST_CASE("what would be too large to be read again is not written") {
  Place place;
  auto state = place.load();
  const std::string long_text(0xfff0, 'm');
  std::vector<keys::NodeRow> rows;
  for (std::uint8_t id = 1; id <= 5; ++id) {
    rows.push_back(bare_row(id));
    rows.back().holds.assign(255, Hold{long_text, std::nullopt});
  }
  keys::Bucket* const bucket = *state.add_bucket("default", 20780);
  CHECK(code_of_answer(state.stage_node(*bucket, rows)) == Errc::refused);
  CHECK(bucket->generation == 0);
  CHECK(os::list_folder(place.layout.buckets())->empty());

  const base::Bytes before = os::read_file(place.layout.directory(), keys::kMaxDirectoryBytes).value();
  state.edit().outstanding.assign(1100, {keys_test::id_of(1), long_text, std::nullopt});
  CHECK(code_of_answer(state.commit()) == Errc::refused);
  CHECK(os::read_file(place.layout.directory(), keys::kMaxDirectoryBytes).value() == before);
}
