// Intake keys as recorders meet them: the newest, whole, and held until the recorder lets go.
#include "keys/intake.h"

#include <doctest/doctest.h>

#include <atomic>
#include <fstream>
#include <thread>

#include "crypto/hash.h"
#include "keys/support.h"

namespace {

using namespace callvault;
using base::Bytes;
using base::ByteView;
using keys_test::filled;
using keys_test::fixed_key;
using keys_test::vector_file;

Bytes file_of(std::uint32_t id) {
  const auto fill = static_cast<std::uint8_t>(id);
  auto bytes = keys::encode_intake({id, filled<crypto::PublicKey>(fill), fixed_key(fill)});
  REQUIRE(bytes.has_value());
  return std::move(*bytes);
}

struct Folder {
  keys_test::TempFolder temp;
  base::Layout layout{temp.path()};
  Folder() { std::filesystem::create_directories(layout.intake()); }
  os::Path path(const std::string& name) const { return layout.intake() / name; }
  // As KeyState publishes: whole, by rename.
  void publish(std::uint32_t id) const {
    REQUIRE(os::write_new_file(path(std::to_string(id) + ".new"), file_of(id)).has_value());
    REQUIRE(os::rename_file(path(std::to_string(id) + ".new"), path(std::to_string(id))).has_value());
  }
  void publish_unsynced(std::uint32_t id) const {
    std::ofstream(path(std::to_string(id) + ".new"), std::ios::binary) << base::as_text(file_of(id));
    REQUIRE(os::rename_file(path(std::to_string(id) + ".new"), path(std::to_string(id))).has_value());
  }
  void put(const std::string& name, ByteView bytes) const {
    (void)os::remove_file(path(name)).has_value();
    REQUIRE(os::write_new_file(path(name), bytes).has_value());
  }
};

bool can_lock(const os::Path& path) {
  auto file = os::File::open_read(path);
  REQUIRE(file.has_value());
  const auto locked = file->try_lock_exclusive();
  REQUIRE(locked.has_value());
  return *locked;
}

TEST_CASE("an intake key's file: round trip, every truncation and every flipped bit") {
  const Bytes file = file_of(7);
  const auto key = keys::decode_intake(file);
  REQUIRE(key.has_value());
  CHECK(key->id == 7);
  CHECK(key->public_key == filled<crypto::PublicKey>(7));
  CHECK(crypto::equal(key->pepper.reveal(), fixed_key(7).reveal()));
  for (std::size_t size = 0; size < file.size(); ++size)
    REQUIRE(!keys::decode_intake(ByteView(file).first(size)).has_value());
  Bytes longer = file;
  longer.push_back(std::byte{0});
  CHECK(!keys::decode_intake(longer).has_value());
  for (std::size_t bit = 0; bit < file.size() * 8; ++bit) {
    Bytes bad = file;
    bad[bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
    const auto decoded = keys::decode_intake(bad);
    REQUIRE(!decoded.has_value());
    const bool version = bit / 8 == 8 || bit / 8 == 9;
    REQUIRE((decoded.error().code == Errc::corrupt || (version && decoded.error().code == Errc::newer_version)));
  }
}

TEST_CASE("frozen bytes of version 1") {
  const Bytes file = vector_file("intake_v1.hex");
  CHECK(keys_test::example("Intake key 2") == file);
  const auto key = keys::decode_intake(file);
  REQUIRE(key.has_value());
  CHECK(key->id == 2);
  CHECK(key->public_key == filled<crypto::PublicKey>(0x99));
  CHECK(crypto::equal(key->pepper.reveal(), fixed_key(0x55).reveal()));
  CHECK(*keys::encode_intake(*key) == file);
}

TEST_CASE("the list is ascending and passes over other names") {
  const Folder folder;
  for (const std::string name : {"10", "9", "4294967295", "4294967296", "007", "1.new", "x", "-1", "+2", " 3", "0x4"})
    folder.put(name, {});
  const auto ids = keys::list_intake(folder.layout);
  REQUIRE(ids.has_value());
  CHECK(*ids == std::vector<std::uint32_t>{9, 10, 4294967295U});
}

TEST_CASE("a recorder gets the newest key and holds it until it lets go") {
  const Folder folder;
  folder.publish(9);
  folder.publish(10);
  {
    const auto lease = keys::acquire_intake(folder.layout);
    REQUIRE(lease.has_value());
    CHECK(lease->key.id == 10);
    CHECK(!can_lock(folder.path("10")));
    CHECK(can_lock(folder.path("9")));
    const auto second = keys::acquire_intake(folder.layout);
    REQUIRE(second.has_value());
    CHECK(second->key.id == 10);
  }
  CHECK(can_lock(folder.path("10")));
}

TEST_CASE("a key under retirement is passed over once the next one is there, and is busy before") {
  const Folder folder;
  folder.publish(1);
  auto retirement = os::File::open_read(folder.path("1"));
  REQUIRE(retirement.has_value());
  REQUIRE(retirement->try_lock_exclusive().value());
  const auto busy = keys::acquire_intake(folder.layout);
  REQUIRE(!busy.has_value());
  CHECK(busy.error().code == Errc::busy);
  std::thread publisher([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(30));
    folder.publish(2);
  });
  const auto lease = keys::acquire_intake(folder.layout);
  publisher.join();
  REQUIRE(lease.has_value());
  CHECK(lease->key.id == 2);
}

TEST_CASE("a key that is listed and not there, or cannot be opened, is not used") {
  const keys_test::TempFolder folder;
  const base::Layout layout{folder.path()};
  std::filesystem::create_directories(layout.intake());
  // A name whose file has gone: as between a listing and what follows it.
  std::filesystem::create_symlink("nowhere", layout.intake() / "7");
  CHECK(keys::acquire_intake(layout).error().code == Errc::busy);
  std::filesystem::remove(layout.intake() / "7");
  std::filesystem::create_symlink("7", layout.intake() / "7");  // and one that leads in a circle
  const auto lease = keys::acquire_intake(layout);
  REQUIRE_FALSE(lease.has_value());
  CHECK(lease.error().code != Errc::busy);
  CHECK(lease.error().code != Errc::corrupt);
}

TEST_CASE("missing and damaged files are said, never used") {
  const Folder folder;
  const auto code = [&] {
    const auto lease = keys::acquire_intake(folder.layout);
    return lease ? Errc::unexpected : lease.error().code;
  };
  CHECK(code() == Errc::corrupt);
  Bytes bad = file_of(3);
  bad[20] ^= std::byte{1};
  folder.put("3", bad);
  CHECK(code() == Errc::corrupt);
  folder.put("3", {});
  CHECK(code() == Errc::corrupt);
  folder.put("3", ByteView(file_of(3)).first(111));
  CHECK(code() == Errc::corrupt);
  folder.put("3", file_of(4));  // another key's number
  CHECK(code() == Errc::corrupt);
  folder.put("3", Bytes(1 << 20));
  CHECK(code() == Errc::corrupt);
  folder.put("3", file_of(3));
  CHECK(keys::acquire_intake(folder.layout).has_value());
  std::filesystem::remove_all(folder.layout.intake());
  CHECK(code() == Errc::not_found);
}

TEST_CASE("while keys are retired one after the other, no recorder holds a retired one") {
  const Folder folder;
  constexpr std::uint32_t kLast = 60;
  // A long listing: time for a retirement between a recorder's look and its lock.
  for (int i = 0; i < 3000; ++i) std::ofstream(folder.path("x" + std::to_string(i))).flush();
  folder.publish(1);
  std::atomic<std::uint32_t> retired{0};  // every key up to this one
  std::atomic<std::uint64_t> leases{0};
  std::atomic<int> wrong{0};
  std::atomic<int> refused{0};
  std::atomic<bool> stop{false};
  std::vector<std::thread> recorders;
  for (int i = 0; i < 3; ++i)
    recorders.emplace_back([&] {
      while (!stop) {
        const auto lease = keys::acquire_intake(folder.layout);
        if (!lease) {
          ++refused;
          return;
        }
        for (int look = 0; look < 3; ++look) {
          if (lease->key.id <= retired) ++wrong;
          std::this_thread::yield();
        }
        if (lease->key.public_key != filled<crypto::PublicKey>(static_cast<std::uint8_t>(lease->key.id))) ++wrong;
        ++leases;
      }
    });
  for (std::uint32_t id = 1; id < kLast; ++id) {
    folder.publish_unsynced(id + 1);
    auto file = os::File::open_read(folder.path(std::to_string(id)));
    REQUIRE(file.has_value());
    while (!file->try_lock_exclusive().value()) std::this_thread::yield();
    retired = id;
    REQUIRE(os::remove_file(folder.path(std::to_string(id))).has_value());
    file = os::File();  // lets go of the lock
    std::this_thread::sleep_for(std::chrono::milliseconds(15));
  }
  const auto enough = leases + 3;
  while (leases < enough && wrong == 0 && refused == 0) std::this_thread::yield();
  stop = true;
  for (auto& r : recorders) r.join();
  CHECK(wrong == 0);
  CHECK(refused == 0);
}

}  // namespace
