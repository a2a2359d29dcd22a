// A full node of a day: opened whole, and one recording's row of it.
#include <benchmark/benchmark.h>

#include <vector>

#include "crypto/random.h"
#include "keys/directory.h"
#include "keys/node_file.h"

namespace {

using namespace callvault;

struct FullNode {
  std::vector<std::array<std::byte, 32>> secrets;
  std::vector<RecordingId> ids;
  crypto::Key key = crypto::Key::random().value();
  base::Bytes file;

  FullNode() : secrets(keys::kBucketCapacity) {
    std::vector<keys::NodeRow> rows;
    for (auto& secret : secrets) {
      std::array<std::byte, RecordingId::kBytes> id{};
      crypto::fill_random(id);
      crypto::fill_random(secret);
      keys::TrackSecret track;
      track.secret = secret;
      keys::NodeRow row;
      row.id = RecordingId(id);
      row.intake = {1};
      row.record_secret = secret;
      row.tracks = {std::move(track)};
      rows.push_back(std::move(row));
      ids.emplace_back(id);
    }
    file = keys::seal_node(keys::encode_node(rows).value(), 1, 1, key).value();
  }
};

const FullNode& full_node() {
  static const FullNode node;
  return node;
}

void open_node_of_4096(benchmark::State& state) {
  const FullNode& node = full_node();
  for (auto _ : state) benchmark::DoNotOptimize(keys::open_node(node.file, 1, 1, node.key));
}
BENCHMARK(open_node_of_4096)->Unit(benchmark::kMicrosecond);

void every_row_of_4096(benchmark::State& state) {
  const FullNode& full = full_node();
  const auto node = keys::open_node(full.file, 1, 1, full.key).value();
  for (auto _ : state)
    for (std::size_t i = 0; i < node.size(); ++i) benchmark::DoNotOptimize(node.row(i));
}
BENCHMARK(every_row_of_4096)->Unit(benchmark::kMicrosecond);

void seal_node_of_4096(benchmark::State& state) {
  const FullNode& full = full_node();
  const auto node = keys::open_node(full.file, 1, 1, full.key).value();
  for (auto _ : state) {
    auto rows = node.rows().value();
    benchmark::DoNotOptimize(keys::seal_node(keys::encode_node(rows).value(), 1, 2, full.key));
  }
}
BENCHMARK(seal_node_of_4096)->Unit(benchmark::kMicrosecond);

}  // namespace
