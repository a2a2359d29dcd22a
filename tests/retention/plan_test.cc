#include "retention/plan.h"

#include "golden.h"

using namespace callvault;
using namespace callvault::retention;
using std::chrono::hours;
using std::chrono::milliseconds;

namespace {

std::string word_of(Decision decision) {
  return decision == Decision::keep ? "keep" : decision == Decision::expire ? "expire" : "refuse";
}

template <typename T>
std::string answer_of(const Result<T>& result) {
  return result ? "ok" : std::string(errc_name(result.error().code));
}

RecordingId id_of(std::uint8_t number) {
  std::array<std::byte, RecordingId::kBytes> bytes{};
  bytes.back() = std::byte{number};
  return RecordingId(bytes);
}

Candidate ordinary(Time start) {
  Candidate c;
  c.started_at = c.consent_since = start;
  c.expires_at = start + hours(1000);
  c.caller_consent = Consent::granted;
  return c;
}

}  // namespace

TEST_CASE("expiry: calendar periods, kept to the last millisecond and expired from the very instant") {
  for (const GoldenLine& line : read_golden("expiry.txt", 400)) {
    CAPTURE(line.text);
    const auto zone = base::Zone::find(line.input[0]);
    const auto period = Period::parse(line.input[2]);
    REQUIRE(zone);
    REQUIRE(period);
    Candidate c = ordinary(utc(line.input[1]));
    const auto expiry = zone->add(c.started_at, *period);
    REQUIRE(expiry);
    CHECK(base::utc_text(*expiry) == line.expected[0]);
    CHECK(zone->rfc3339(*expiry) == line.expected[1]);

    c.expires_at = *expiry;
    Rules rules{.now = *expiry - milliseconds(1)};
    CHECK(decide(c, rules).decision == Decision::keep);
    CHECK(decide(c, rules).due == *expiry);
    CHECK(may_open({.now = rules.now, .expires_at = *expiry, .caller_consent = Consent::granted}));
    rules.now = *expiry;
    CHECK(decide(c, rules).decision == Decision::expire);
    CHECK(decide(c, rules).reason == kPeriodOver);
    CHECK(answer_of(may_open({.now = rules.now, .expires_at = *expiry, .caller_consent = Consent::granted})) == "gone");
  }
}

TEST_CASE("decisions: the golden table") {
  for (const GoldenLine& line : read_golden("decisions.txt", 200)) {
    CAPTURE(line.text);
    const auto basis = parse_basis(line["basis"]);
    const auto caller = parse_consent(line["caller"]);
    const auto agent = parse_consent(line["agent"]);
    REQUIRE((basis && caller && agent));
    Candidate c;
    c.id = id_of(7);
    c.started_at = utc(line["start"]);
    c.expires_at = utc(line["end"]);
    c.caller_consent = *caller;
    c.agent_consent = *agent;
    c.basis = *basis;
    c.consent_since = utc(line["since"]);
    const std::string hold = line["hold"];
    c.held = hold != "none";
    if (c.held && hold != "open") c.held_until = utc(hold);
    c.restricted = line["restricted"] == "1";
    c.erase_requested = line["erase"] == "1";
    c.in_progress = line["running"] == "1";
    const PlannedItem item = decide(c, {.now = utc(line["now"])});
    CHECK(word_of(item.decision) == line.expected[0]);
    CHECK(item.reason == line.expected[1]);
    CHECK(base::utc_text(item.due) == line.expected[2]);
    CHECK(item.id == c.id);
  }
}

TEST_CASE("clock guard: the golden table") {
  for (const GoldenLine& line : read_golden("clock.txt", 20)) {
    CAPTURE(line.text);
    Rules rules{.now = utc(line.input[1])};
    if (line.input[0] != "none") rules.last_purge = utc(line.input[0]);
    if (line.input[3] != "none") rules.confirm = std::stoull(line.input[3]);
    Plan plan;
    plan.expired = std::stoull(line.input[2]);
    plan.kept = 100000;  // these two never count
    plan.refused = 100000;
    CHECK(answer_of(guard_clock(plan, rules)) == line.expected[0]);
  }
}

TEST_CASE("the clock guard's message carries the counts") {
  Plan plan;
  plan.expired = 4711;
  plan.kept = 12;
  plan.refused = 34;
  const auto guarded = guard_clock(plan, {.now = utc("2026-11-23T00:00:00.000Z")});
  REQUIRE(!guarded);
  for (const char* part : {"4711 recordings", "34 refused", "12 kept"})
    CHECK(guarded.error().message.find(part) != std::string::npos);
}

TEST_CASE("the gate: the golden table") {
  const Time now = utc("2026-11-23T08:00:00.000Z");
  for (const GoldenLine& line : read_golden("open.txt", 40)) {
    CAPTURE(line.text);
    const auto& in = line.input;
    REQUIRE(in.size() == 9);
    OpenRequest r;
    r.now = now;
    r.expires_at = in[0] == "1" ? now : now + milliseconds(1);
    r.held = in[1] != "none";
    if (in[1] == "past") r.held_until = now;
    if (in[1] == "future") r.held_until = now + milliseconds(1);
    r.restricted = in[2] == "1";
    r.in_progress = in[3] == "1";
    r.erase_requested = in[4] == "1";
    r.basis = parse_basis(in[5]).value();
    r.caller_consent = parse_consent(in[6]).value();
    r.agent_consent = parse_consent(in[7]).value();
    r.purpose = parse_purpose(in[8]).value();
    CHECK(answer_of(may_open(r)) == line.expected[0]);
  }
}

TEST_CASE("a plan has one item per candidate, in order, with the counts and the next expiry") {
  const Time now = utc("2026-11-23T08:00:00.000Z");
  std::vector<Candidate> candidates(6, ordinary(now - hours(10)));
  for (std::uint8_t i = 0; i < 6; ++i) candidates[i].id = id_of(i);
  candidates[1].expires_at = now;
  candidates[2].expires_at = now - hours(1);
  candidates[2].held = true;
  candidates[3].expires_at = now + hours(1);
  candidates[4].expires_at = now - hours(1);
  candidates[4].restricted = true;
  candidates[5].caller_consent = Consent::refused;
  const Plan p = plan(candidates, {.now = now});
  REQUIRE(p.items.size() == 6);
  for (std::uint8_t i = 0; i < 6; ++i) CHECK(p.items[i].id == id_of(i));
  CHECK(p.kept == 2);
  CHECK(p.expired == 2);
  CHECK(p.refused == 2);
  CHECK(p.next_due == now + hours(1));
  CHECK(p.items[5].reason == kConsentRefused);
  CHECK(!plan({}, {.now = now}).next_due);
}

TEST_CASE("the same input gives the same plan, and what a purge leaves is not due again") {
  const Time now = utc("2026-11-23T08:00:00.000Z");
  std::vector<Candidate> candidates;
  for (std::uint8_t i = 0; i < 100; ++i) {
    candidates.push_back(ordinary(now - hours(990 + i % 20)));
    candidates.back().held = i % 7 == 0;
    candidates.back().restricted = i % 5 == 0;
  }
  const Plan first = plan(candidates, {.now = now});
  const Plan again = plan(candidates, {.now = now});
  std::vector<Candidate> left;
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    CHECK(first.items[i].reason == again.items[i].reason);
    if (first.items[i].decision != Decision::expire) left.push_back(candidates[i]);
  }
  CHECK(first.expired > 0);
  CHECK(plan(left, {.now = now}).expired == 0);
}

TEST_CASE("the grace period is a rule, not a constant") {
  const Time now = utc("2026-11-23T08:00:00.000Z");
  Candidate c = ordinary(now - hours(2));
  c.caller_consent = Consent::pending;
  CHECK(decide(c, {.now = now, .pending_grace = hours(2)}).reason == kPendingTooLong);
  CHECK(decide(c, {.now = now, .pending_grace = hours(3)}).due == now + hours(1));
}
