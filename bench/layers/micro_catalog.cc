// A search token, which a search by number makes for every bucket, and a row of the catalogue.
#include <benchmark/benchmark.h>

#include "catalog/blind.h"
#include "catalog/row.h"

namespace {

using namespace callvault;

void search_token(benchmark::State& state) {
  const auto key = crypto::Key::random().value();
  for (auto _ : state) benchmark::DoNotOptimize(catalog::blind(key, catalog::Field::caller, "+40722000001", 0));
}
BENCHMARK(search_token);

catalog::Row row_of_a_call() {
  catalog::Row row;
  row.caller = "+40722000001";
  row.called = "+40800110001";
  row.agent = "agent-017";
  row.call_id = "pbx-4242424242";
  row.notice = "2026-01";
  row.duration_ms = 183'000;
  row.tracks = {{TrackName::mixed, 0, 8000, 380'000}};
  return row;
}

void seal_row(benchmark::State& state) {
  const auto key = crypto::Key::random().value();
  const catalog::Row row = row_of_a_call();
  const RecordingId id{};
  for (auto _ : state) benchmark::DoNotOptimize(catalog::seal_row(row, key, id));
}
BENCHMARK(seal_row);

void open_row(benchmark::State& state) {
  const auto key = crypto::Key::random().value();
  const RecordingId id{};
  const auto sealed = catalog::seal_row(row_of_a_call(), key, id).value();
  for (auto _ : state) benchmark::DoNotOptimize(catalog::open_row(sealed, key, id));
}
BENCHMARK(open_row);

}  // namespace
