// The first page of a long list is the list's beginning.
#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>

#include "adversary/rig.h"

using namespace callvault;
using adversary::Call;
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

namespace fs = std::filesystem;

// A second retention class with the period of the first: calls of one day then lie in two buckets.
void add_class(Rig& rig, const std::string& name) {
  const fs::path config = rig.folder() / "vault.toml";
  std::ifstream in(config);
  std::string text((std::istreambuf_iterator<char>(in)), {});
  const auto at = text.find("\ndefault = ");
  REQUIRE(at != std::string::npos);
  const auto end = text.find('\n', at + 1);
  text.insert(end, "\n" + name + text.substr(at + 8, end - at - 8));
  std::ofstream(config, std::ios::trunc) << text;
  rig.reopen();
}

std::vector<fs::path> nodes_of(const Rig& rig) {
  std::vector<fs::path> out;
  for (const auto& entry : fs::directory_iterator(rig.folder() / "keys" / "buckets")) out.push_back(entry.path());
  return out;
}

}  // namespace

TEST_CASE("a page of a day opens no node whose calls all began before it") {
  Rig rig;
  add_class(rig, "campaign");
  const Time noon = std::chrono::floor<std::chrono::days>(rig.clock().now()) + std::chrono::hours(12);
  const auto record = [&](int minutes_ago, const char* retention_class) {
    rig.clock().now_ = noon - std::chrono::minutes(minutes_ago);
    Call call;
    call.retention_class = retention_class;
    rig.record(call);
    rig.settle();  // each is added to the rows that its bucket has
  };
  for (const int ago : {100, 110, 90}) record(ago, "default");
  for (const int ago : {20, 10, 30}) record(ago, "campaign");
  rig.clock().now_ = noon;
  const auto all = found(rig, {});
  REQUIRE(all.size() == 6);
  const auto nodes = nodes_of(rig);
  REQUIRE(nodes.size() == 2);
  // Without the node of the older three nobody misses it who asks for the newest three.
  int needed = 0;
  for (const fs::path& node : nodes) {
    const fs::path aside = rig.folder() / "aside";
    fs::rename(node, aside);
    std::vector<RecordingId> page;
    Query query;
    query.limit = 3;
    const auto keep = [&](const CallRecord& one) { return page.push_back(one.id), true; };
    const auto newest = rig.vault().find(rig.officer(), query, keep);
    needed += newest ? 0 : 1;
    if (newest) CHECK(page == std::vector(all.begin(), all.begin() + 3));
    if (newest) {
      query.limit = 4;  // one more is of the other
      CHECK(rig.vault().find(rig.officer(), query, keep).error().code == Errc::corrupt);
      query.limit = 3;
      query.to = noon - std::chrono::minutes(60);
      CHECK(rig.vault().find(rig.officer(), query, keep).error().code == Errc::corrupt);
      query.to = noon;
      query.from = noon - std::chrono::minutes(60);
      query.limit.reset();  // all of an hour in which the other has none
      page.clear();
      CHECK(rig.vault().find(rig.officer(), query, keep));
      CHECK(page == std::vector(all.begin(), all.begin() + 3));
    }
    fs::rename(aside, node);
  }
  CHECK(needed == 1);
}

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
