// Registers: sealed whole under a fresh key each time, bound to name and generation, and forgotten with a rotation.
#include "keys/register_file.h"

#include <doctest/doctest.h>

#include "keys/support.h"

namespace {

using namespace callvault;
using base::Bytes;
using keys_test::fixed_key;
using keys_test::vector_file;

constexpr std::string_view kText = R"({"numbers":[],"version":1})";

TEST_CASE("the frozen register opens under its name, generation and key only") {
  const Bytes file = vector_file("register_v1.hex");
  CHECK(keys_test::example("Register opt-out.3") == file);
  const auto opened = keys::open_register(file, "opt-out", 3, fixed_key(0xb1));
  REQUIRE(opened.has_value());
  CHECK(base::as_text(*opened) == kText);
  CHECK(keys::open_register(file, "opt-out", 3, fixed_key(0xb2)).error().code == Errc::corrupt);
  CHECK(keys::open_register(file, "opt-out", 4, fixed_key(0xb1)).error().code == Errc::corrupt);
  CHECK(keys::open_register(file, "opt-ouu", 3, fixed_key(0xb1)).error().code == Errc::corrupt);
}

TEST_CASE("every flipped bit and every truncation of a register is damage, or a newer version") {
  const Bytes file = vector_file("register_v1.hex");
  for (std::size_t bit = 0; bit < file.size() * 8; ++bit) {
    Bytes damaged = file;
    damaged[bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
    const auto opened = keys::open_register(damaged, "opt-out", 3, fixed_key(0xb1));
    REQUIRE(!opened.has_value());
    const bool version = bit / 8 == 8 || bit / 8 == 9;
    REQUIRE((opened.error().code == Errc::corrupt || (version && opened.error().code == Errc::newer_version)));
  }
  for (std::size_t size = 0; size < file.size(); ++size)
    REQUIRE(!keys::open_register(base::ByteView(file).first(size), "opt-out", 3, fixed_key(0xb1)).has_value());
}

TEST_CASE("what does not fit is refused, not written") {
  const Bytes large(keys::kMaxRegisterBytes);
  CHECK(keys::seal_register(large, "requests", 1, fixed_key(1)).error().code == Errc::refused);
}

}  // namespace
