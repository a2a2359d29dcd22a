// The first page of a long list is the list's beginning.
#include <doctest/doctest.h>

#include <random>

#include "adversary/rig.h"

using namespace callvault;
using adversary::must;
using adversary::Rig;

namespace {

std::vector<RecordingId> found(Rig& rig, const Query& query) {
  std::vector<RecordingId> out;
  must(rig.vault().find(rig.officer(), query,
                        [&](const CallRecord& record) {
                          out.push_back(record.id);
                          return true;
                        }),
       "find");
  return out;
}

}  // namespace

TEST_CASE("the first page of a busy day is the newest of it, whatever order the calls came in") {
  Rig rig;
  const Time now = rig.clock().now();
  constexpr int kCalls = 170;  // more than two pages of five and what is looked at beside them
  std::vector<int> minutes(kCalls);
  for (int i = 0; i < kCalls; ++i) minutes[static_cast<std::size_t>(i)] = i / 2;  // pairs begin together
  std::shuffle(minutes.begin(), minutes.end(), std::mt19937(5));
  for (const int ago : minutes) {
    rig.clock().now_ = now - std::chrono::minutes(ago + 1);
    rig.record({});
  }
  rig.clock().now_ = now;
  rig.settle();
  const auto all = found(rig, {});
  REQUIRE(all.size() == kCalls);
  for (const std::size_t limit : {1U, 5U, 7U, 40U}) {
    CAPTURE(limit);
    Query query;
    query.limit = limit;
    CHECK(found(rig, query) == std::vector(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(limit)));
    query.from = now - std::chrono::minutes(60);
    query.to = now - std::chrono::minutes(20);
    const auto part = found(rig, query);
    const auto first = std::find(all.begin(), all.end(), part.at(0));
    REQUIRE(all.end() - first >= static_cast<std::ptrdiff_t>(limit));
    CHECK(part == std::vector(first, first + static_cast<std::ptrdiff_t>(limit)));
    CHECK(first - all.begin() == 40);
  }
}
