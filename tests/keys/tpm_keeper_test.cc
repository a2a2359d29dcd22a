// A keeper in a chip's memory, on a chip that is none: what stands in its file, what the chip may answer, what is
// damage.
#include "keys/tpm_keeper.h"

#include <map>
#include <set>

#include "crypto/hash.h"
#include "keys/support.h"

namespace {

using namespace callvault;
using base::Bytes;
using base::ByteView;
using keys::TpmKeeper;
using keys::TpmPlace;

constexpr std::uint32_t kIndex = 0x01800100;

// What the test's chips share: memory that outlives a connection.
struct Chip {
  std::map<std::uint32_t, Bytes> memory;
  Bytes auth;
  bool lies = false;    // acknowledges and stores nothing
  int fail_after = -1;  // calls that still succeed
  Errc failure = Errc::io;
  std::set<std::uint32_t> undefined;

  Result<void> step() {
    if (fail_after == 0) return fail(failure, "made to fail");
    if (fail_after > 0) --fail_after;
    return {};
  }
};
Chip* g_chip = nullptr;

class Connection final : public os::TpmNv {
 public:
  Result<bool> exists(std::uint32_t index) override {
    CALLVAULT_TRY(g_chip->step());
    return g_chip->memory.contains(index);
  }
  Result<void> define(std::uint32_t index, std::size_t bytes) override {
    CALLVAULT_TRY(g_chip->step());
    g_chip->memory[index] = Bytes(bytes);
    return {};
  }
  Result<void> undefine(std::uint32_t index) override {
    g_chip->memory.erase(index);
    g_chip->undefined.insert(index);
    return {};
  }
  Result<void> write(std::uint32_t index, ByteView data) override {
    CALLVAULT_TRY(g_chip->step());
    if (!g_chip->lies) g_chip->memory.at(index) = base::to_bytes(data);
    return {};
  }
  Result<void> read(std::uint32_t index, base::MutableBytes out) override {
    CALLVAULT_TRY(g_chip->step());
    if (!g_chip->memory.contains(index)) return fail(Errc::not_found, "no such index");
    std::copy_n(g_chip->memory.at(index).begin(), out.size(), out.begin());
    return {};
  }
};

Result<std::unique_ptr<os::TpmNv>> to_chip(const std::string& tcti, ByteView auth) {
  if (tcti == "nowhere") return fail(Errc::io, "no chip there");
  if (g_chip->auth.empty()) g_chip->auth = base::to_bytes(auth);
  if (g_chip->auth != base::to_bytes(auth)) return fail(Errc::refused, "another auth value");
  return std::unique_ptr<os::TpmNv>(std::make_unique<Connection>());
}

struct Chipped {
  keys_test::TempFolder temp;
  os::Path folder = temp.path() / "keeper";
  Chip chip;
  Chipped() { g_chip = &chip; }
  ~Chipped() { g_chip = nullptr; }
  Chipped(const Chipped&) = delete;
  Chipped& operator=(const Chipped&) = delete;

  std::unique_ptr<TpmKeeper> make(const std::string& tcti = "") {
    auto keeper = TpmKeeper::create(folder, {kIndex, tcti}, to_chip);
    REQUIRE_MESSAGE(keeper.has_value(), (keeper ? "" : keeper.error().message));
    return std::move(*keeper);
  }
  Errc opening() {
    const auto keeper = TpmKeeper::open(folder, to_chip);
    return keeper ? Errc::interrupted : keeper.error().code;
  }
  std::string description() const { return std::string(base::as_text(os::read_file(folder / "tpm", 9000).value())); }
  void describe(const std::string& text) const {
    REQUIRE(os::remove_file(folder / "tpm").has_value());
    REQUIRE(os::write_new_file(folder / "tpm", base::as_bytes(text)).has_value());
  }
  // A field of two bytes of a slot gets another value, and the slot the check that fits.
  void rewrite(std::uint32_t slot, std::size_t field, std::uint16_t value) {
    Bytes& bytes = chip.memory.at(kIndex + slot);
    std::memcpy(bytes.data() + field, &value, sizeof value);
    const auto check = crypto::blake2b(ByteView(bytes).first(88));
    std::copy(check.begin(), check.end(), bytes.begin() + 88);
  }
};

template <typename T>
Errc chip_answer(const Result<T>& result) {
  return result ? Errc::interrupted : result.error().code;
}

// The line as it is written, with a check that fits.
std::string described(const std::string& fields) {
  const std::string line = "callvault tpm keeper v1 " + fields + " ";
  const auto hash = crypto::blake2b(base::as_bytes(line));
  return line + base::to_hex(ByteView(hash).first(8)) + "\n";
}

}  // namespace

TEST_CASE("where a chip's keeper is: one index of those that are free, and a way to the chip") {
  CHECK_FALSE(keys::parse_tpm_place("/srv/keeper")->has_value());
  CHECK((**keys::parse_tpm_place("tpm:0x01800100")).index == kIndex);
  CHECK((**keys::parse_tpm_place("tpm:0x01800100")).tcti.empty());
  CHECK((**keys::parse_tpm_place("tpm:01800100,swtpm:path=/run/tpm")).tcti == "swtpm:path=/run/tpm");
  CHECK((**keys::parse_tpm_place("tpm:0x01000000")).index == 0x01000000);
  CHECK((**keys::parse_tpm_place("tpm:0x01fffffe")).index == 0x01fffffe);
  for (const std::string bad :
       {"", "0x", "zz", "0x00ffffff", "0x01ffffff", "0x018001000", "0x01800100x", "0x01800100 "})
    CHECK_MESSAGE(chip_answer(keys::parse_tpm_place("tpm:" + bad)) == Errc::usage, bad);
  CHECK(keys::parse_tpm_place("tpm:0x01800100," + std::string(1024, 'a')).has_value());
  CHECK(chip_answer(keys::parse_tpm_place("tpm:0x01800100," + std::string(1025, 'a'))) == Errc::usage);
}

TEST_CASE("a chip's keeper holds one root, then two, and one again") {
  for (const std::string tcti : {"", "device:/dev/tpm7"}) {
    Chipped at;
    auto keeper = at.make(tcti);
    CHECK(at.description() == described("0x01800100 " + (tcti.empty() ? "-" : base::to_hex(base::as_bytes(tcti)))));
    CHECK(chip_answer(keeper->read()) == Errc::corrupt);
    CHECK(chip_answer(keeper->wipe_all_but(1)) == Errc::corrupt);
    REQUIRE(keeper->stage(1, std::nullopt).has_value());
    CHECK(chip_answer(keeper->stage(2, std::nullopt)) == Errc::refused);
    CHECK(chip_answer(keeper->stage(1, 1)) == Errc::usage);
    CHECK(chip_answer(keeper->stage(3, 2)) == Errc::corrupt);
    CHECK(keeper->wipe_all_but(1).has_value());  // nothing to wipe
    const auto second = keeper->stage(2, 1);
    REQUIRE(second.has_value());
    keeper = std::move(TpmKeeper::open(at.folder, to_chip).value());
    CHECK(keeper->read()->size() == 2);
    REQUIRE(keeper->wipe_all_but(2).has_value());
    const auto slots = keeper->read();
    REQUIRE(slots->size() == 1);
    CHECK(slots->front().epoch == 2);
    CHECK(crypto::equal(slots->front().root.reveal(), second->root.reveal()));
    CHECK(keeper->stage(3, 2).has_value());  // in the slot of the first
    CHECK(keeper->describe().path.find(tcti) != std::string::npos);
    REQUIRE(keeper->wipe_all().has_value());
    CHECK(chip_answer(keeper->read()) == Errc::corrupt);
    CHECK_FALSE(keeper->unfinished().value());
  }
}

TEST_CASE("a chip's keeper is made once, and where nothing is in its way") {
  Chipped at;
  at.make();
  CHECK(chip_answer(TpmKeeper::create(at.folder, {kIndex + 8, ""}, to_chip)) == Errc::refused);
  const os::Path file_keeper = at.temp.path() / "file";
  REQUIRE(os::make_folder(file_keeper).has_value());
  REQUIRE(os::write_new_file(file_keeper / "root", {}).has_value());
  CHECK(chip_answer(TpmKeeper::create(file_keeper, {kIndex + 8, ""}, to_chip)) == Errc::refused);
  Chipped other;
  other.chip.memory[kIndex + 1] = Bytes(8);  // somebody else's
  CHECK(chip_answer(TpmKeeper::create(other.folder, {kIndex, ""}, to_chip)) == Errc::refused);
  CHECK(other.chip.memory.at(kIndex + 1) == Bytes(8));
  CHECK_FALSE(os::exists(other.folder));
  CHECK(chip_answer(TpmKeeper::create(other.folder, {kIndex + 8, "nowhere"}, to_chip)) == Errc::io);
  // In the current folder.
  const auto before = std::filesystem::current_path();
  std::filesystem::current_path(other.temp.path());
  other.chip.auth.clear();
  const auto here = TpmKeeper::create("beside", {kIndex + 8, ""}, to_chip);
  std::filesystem::current_path(before);
  CHECK(here.has_value());
}

TEST_CASE("a keeper that the chip does not take whole is taken back") {
  for (int steps = 0; steps < 9; ++steps) {
    Chipped at;
    at.chip.fail_after = steps;
    const auto made = TpmKeeper::create(at.folder, {kIndex, ""}, to_chip);
    CAPTURE(steps);
    if (made) {
      CHECK(steps >= 8);  // two indices looked for, defined, written and read back
      continue;
    }
    CHECK(made.error().code == Errc::io);
    CHECK(at.chip.memory.empty());
    CHECK_FALSE(os::exists(at.folder));
  }
  Chipped at;
  at.make();
  TpmKeeper::take_back(at.folder, to_chip);
  CHECK(at.chip.undefined == std::set{kIndex, kIndex + 1});
  CHECK_FALSE(os::exists(at.folder));
  TpmKeeper::take_back(at.folder, to_chip);  // nothing is there
}

TEST_CASE("a description that is damaged, newer or not one") {
  Chipped at;
  at.make();
  const std::string good = at.description();
  CHECK(at.opening() == Errc::interrupted);
  const auto opening = [&](const std::string& text) {
    at.describe(text);
    return at.opening();
  };
  CHECK(opening("callvault tpm keeper v2 0x01800100 - 00\n") == Errc::newer_version);
  CHECK(opening("something else\n") == Errc::corrupt);
  CHECK(opening("callvault tpm keeper v1 0x01800100\n") == Errc::corrupt);
  CHECK(opening("callvault tpm keeper v1 0x01800100 -\n") == Errc::corrupt);
  CHECK(opening(described("0x00000001 -")) == Errc::corrupt);
  CHECK(opening(described("0x01800100 xy")) == Errc::corrupt);
  CHECK(opening(described("0x01800101 -")) == Errc::interrupted);
  CHECK(opening(good.substr(0, good.size() - 2) + "\n") == Errc::corrupt);
  CHECK(opening(good) == Errc::interrupted);

  std::filesystem::resize_file(at.folder / "tpm.auth", 31);
  CHECK(at.opening() == Errc::corrupt);
  std::filesystem::remove(at.folder / "tpm.auth");
  CHECK(at.opening() == Errc::corrupt);
  std::filesystem::create_symlink("tpm.auth", at.folder / "tpm.auth");  // leads in a circle
  CHECK(at.opening() == Errc::io);
  std::filesystem::remove(at.folder / "tpm");
  CHECK(at.opening() == Errc::not_found);
}

TEST_CASE("a slot of a chip that says what it cannot is damage, and a newer one is newer") {
  Chipped at;
  auto keeper = at.make();
  REQUIRE(keeper->stage(1, std::nullopt).has_value());
  const auto good = at.chip.memory;
  // magic, number, state, reserved, version 0, of the content under a check that fits
  for (const auto& [field, value] :
       {std::pair<std::size_t, std::uint16_t>{0, 7}, {10, 1}, {12, 2}, {14, 1}, {8, 0}, {24, 7}}) {
    CAPTURE(field);
    at.chip.memory = good;
    at.rewrite(0, field, value);
    CHECK(chip_answer(keeper->read()) == Errc::corrupt);
    CHECK(chip_answer(keeper->wipe_all_but(1)) == Errc::corrupt);
    CHECK(chip_answer(keeper->stage(2, 1)) == Errc::corrupt);
  }
  at.chip.memory = good;
  at.chip.memory.at(kIndex)[100] ^= std::byte{1};  // of the check itself
  CHECK(chip_answer(keeper->read()) == Errc::corrupt);
  for (const std::uint32_t slot : {0U, 1U}) {
    at.chip.memory = good;
    at.rewrite(slot, 8, 2);
    CHECK(chip_answer(keeper->read()) == Errc::newer_version);
    CHECK(chip_answer(keeper->unfinished()) == Errc::newer_version);
    CHECK(chip_answer(keeper->wipe_all_but(1)) == Errc::newer_version);
    if (slot == 0) CHECK(chip_answer(keeper->stage(2, 1)) == Errc::newer_version);
  }
  // The other slot may be damaged: the root is found, and the next change writes over it.
  at.chip.memory = good;
  at.chip.memory.at(kIndex + 1)[30] ^= std::byte{1};
  CHECK(keeper->read()->size() == 1);
  CHECK(chip_answer(keeper->unfinished()) == Errc::corrupt);
  REQUIRE(keeper->wipe_all_but(1).has_value());
  CHECK_FALSE(keeper->unfinished().value());
  at.chip.memory.erase(kIndex);  // the chip was cleared
  CHECK(chip_answer(keeper->read()) == Errc::corrupt);
}

TEST_CASE("a chip that fails, or says that it wrote and did not, keeps the root and says so") {
  Chipped at;
  auto keeper = at.make();
  REQUIRE(keeper->stage(1, std::nullopt).has_value());
  for (int steps = 0; steps < 5; ++steps) {
    at.chip.fail_after = steps;
    const auto staged = keeper->stage(2, 1);
    at.chip.fail_after = -1;
    CAPTURE(steps);
    CHECK(chip_answer(staged) == Errc::io);
    CHECK(keeper->read()->front().epoch == 1);
  }
  at.chip.fail_after = 0;
  CHECK(chip_answer(keeper->read()) == Errc::io);
  at.chip.fail_after = -1;
  at.chip.lies = true;
  CHECK(chip_answer(keeper->stage(2, 1)) == Errc::io);
  at.chip.lies = false;
  REQUIRE(keeper->stage(2, 1).has_value());
  at.chip.lies = true;
  CHECK(chip_answer(keeper->wipe_all_but(2)) == Errc::io);
  CHECK(chip_answer(keeper->wipe_all()) == Errc::io);
}
