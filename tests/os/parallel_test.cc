#include "os/parallel.h"

#include <doctest/doctest.h>

#include <atomic>
#include <stdexcept>
#include <vector>

using namespace callvault;

TEST_CASE("each number once, whatever threads there are") {
  for (const unsigned most : {1U, 2U, 8U}) {
    for (const std::size_t count : {0U, 1U, 3U, 1000U}) {
      std::vector<int> calls(count);
      os::in_parallel(count, most, [&](std::size_t i) { ++calls[i]; });
      CHECK(calls == std::vector<int>(count, 1));
    }
  }
}

TEST_CASE("what one call throws reaches the caller, and ends the work") {
  std::atomic<std::size_t> begun{0};
  const auto work = [&](std::size_t i) {
    ++begun;
    if (i == 3) throw std::bad_alloc();
  };
  CHECK_THROWS_AS(os::in_parallel(1'000'000, 2, work), std::bad_alloc);
  CHECK(begun < 1'000'000);
}
