// The plan of a night: 50,000 candidates, and what one calendar period costs.
#include <benchmark/benchmark.h>

#include <vector>

#include "base/civil_time.h"
#include "retention/plan.h"

namespace {

using namespace callvault;
using std::chrono::hours;
using std::chrono::milliseconds;

const Time kNow(milliseconds(1'795'000'000'000));

void plan_50000(benchmark::State& state) {
  std::vector<retention::Candidate> candidates(50'000);
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    retention::Candidate& c = candidates[i];
    c.started_at = c.consent_since = kNow - hours(i % 5000);
    c.expires_at = c.started_at + hours(4000);
    c.caller_consent = static_cast<Consent>(i % 6);
    c.basis = static_cast<Basis>(i % 4);
    c.held = i % 97 == 0;
    c.restricted = i % 89 == 0;
  }
  const retention::Rules rules{.now = kNow};
  for (auto _ : state) benchmark::DoNotOptimize(retention::plan(candidates, rules));
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(candidates.size()));
}
BENCHMARK(plan_50000)->Unit(benchmark::kMillisecond);

void zone_find(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(base::Zone::find("Europe/Bucharest"));
}
BENCHMARK(zone_find)->Unit(benchmark::kMicrosecond);

void six_months(benchmark::State& state) {
  const auto zone = base::Zone::find("Europe/Bucharest").value();
  Time start = kNow;
  for (auto _ : state) benchmark::DoNotOptimize(zone.add(start += milliseconds(60'001), Period{6, 0}));
}
BENCHMARK(six_months)->Unit(benchmark::kNanosecond);

}  // namespace
