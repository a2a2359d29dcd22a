// Locked buffers: always zero when made, whatever an earlier one held.
#include <doctest/doctest.h>

#include <algorithm>

#include "crypto/secret.h"

using namespace callvault;

namespace {

bool is_zero(base::ByteView bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](std::byte b) { return b == std::byte{0}; });
}

}  // namespace

TEST_CASE("a buffer is zero when made, also in the pages of one that held secrets") {
  for (const std::size_t bytes : {200'000U, 200'000U, 150'000U, 120'000U, 10U, 300'000U, 200'000U, 5'000'000U, 1U}) {
    CAPTURE(bytes);
    auto buffer = crypto::SecretBuffer::make(bytes);
    REQUIRE(buffer.has_value());
    REQUIRE(buffer->size() == bytes);
    CHECK(is_zero(buffer->reveal()));
    std::fill(buffer->reveal_mutable().begin(), buffer->reveal_mutable().end(), std::byte{0xa5});
    buffer->shrink(bytes / 2);
  }
}

TEST_CASE("two buffers alive at once do not share pages") {
  auto first = crypto::SecretBuffer::make(100'000);
  REQUIRE(first.has_value());
  { auto gone = crypto::SecretBuffer::make(100'000); }
  auto second = crypto::SecretBuffer::make(100'000);
  auto third = crypto::SecretBuffer::make(100'000);
  REQUIRE(second.has_value());
  REQUIRE(third.has_value());
  std::fill(second->reveal_mutable().begin(), second->reveal_mutable().end(), std::byte{1});
  CHECK(is_zero(first->reveal()));
  CHECK(is_zero(third->reveal()));
  auto moved = std::move(*second);
  CHECK(std::count(moved.reveal().begin(), moved.reveal().end(), std::byte{1}) == 100'000);
}
