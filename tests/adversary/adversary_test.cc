// The promise, tested: whoever holds every byte the vault ever wrote, the present keeper, the review key and every
// passphrase opens all that is live and nothing that was shredded.
#include <doctest/doctest.h>

#include "adversary/attack.h"
#include "adversary/inside.h"

using namespace callvault;
using adversary::Call;
using adversary::Cut;
using adversary::cut_shred;
using adversary::is_gone;
using adversary::must;
using adversary::Rig;

namespace {

const std::string kAna = "+40722000001", kBob = "+40722000002", kEve = "+40722000003", kFay = "+40722000004",
                  kGus = "+40722000005", kHal = "+40722000006";
const std::vector<std::string> kCallers{kAna, kBob, kEve, kFay, kGus, kHal};
const std::vector<std::string> kTexts{"+4072200000", "0722000", "Maria Popescu", "matter-77",
                                      "call-4711",   "\"ana\"", "Zoe Agent"};

using Tracks = std::set<std::pair<RecordingId, TrackName>>;

struct Expected {
  std::set<RecordingId> live;
  Tracks tracks;
  std::set<RecordingId> all;
  Tracks all_tracks;

  void add(const RecordingId& id, std::initializer_list<TrackName> names) {
    live.insert(id);
    all.insert(id);
    for (const auto name : names) {
      tracks.insert({id, name});
      all_tracks.insert({id, name});
    }
  }
  void shred(const RecordingId& id) {
    live.erase(id);
    std::erase_if(tracks, [&](const auto& t) { return t.first == id; });
  }
};

crypto::Key review_key(Rig& rig) {
  return must(must(rig.officer().impl().identity.review_key(1), "review")->clone(), "clone");
}

}  // namespace

TEST_CASE("every old byte, today's keeper and the review key open the living and none of the shredded") {
  Rig rig;
  Expected expected;

  const auto record = [&](const Call& call) {
    const auto id = rig.record(call);
    rig.snapshot();
    if (call.stereo)
      expected.add(id, {TrackName::caller, TrackName::agent});
    else
      expected.add(id, {TrackName::mixed});
    return id;
  };

  // One day: Ana three times, Bob, Eve, Fay in two tracks.
  const auto ana1 = record(Call{.caller = kAna, .agent = "ana", .call_id = ""});
  const auto ana2 = record(Call{.caller = kAna, .agent = "Zoe Agent", .call_id = ""});
  const auto ana3 = record(Call{.caller = kAna, .agent = "Zoe Agent", .call_id = "call-4711"});
  const auto bob = record(Call{.caller = kBob, .agent = "ana", .call_id = ""});
  const auto eve = record(Call{.caller = kEve, .agent = "ana", .call_id = ""});
  const auto fay = record(Call{.caller = kFay, .agent = "ana", .call_id = "", .stereo = true});
  rig.settle();
  rig.snapshot();

  // One of Ana's goes: its row must not be tied to those that stay.
  rig.erase({ana1});
  expected.shred(ana1);
  rig.snapshot();

  // The same day goes on under a fresh intake key; one call is erased before it is ever settled.
  const auto gus = record(Call{.caller = kGus, .agent = "ana", .call_id = ""});
  rig.erase({gus});
  expected.shred(gus);
  rig.snapshot();
  const auto hal = record(Call{.caller = kHal, .agent = "ana", .call_id = ""});
  rig.settle();
  rig.snapshot();

  // An agent withdraws: only that voice goes.
  must(rig.vault().set_consent(rig.officer(), {fay, Party::agent, Consent::withdrawn, "Maria Popescu said so"}),
       "consent");
  expected.tracks.erase({fay, TrackName::agent});
  rig.snapshot();

  // A hold protects Bob from an erasure of everything; Eve goes.
  must(rig.vault().hold(rig.officer(), {bob, "matter-77", std::nullopt}), "hold");
  EraseOptions both;
  both.ids = {bob, eve};
  both.request = "R-2";
  const auto report = must(rig.vault().erase(rig.officer(), both), "erase");
  CHECK(std::count_if(report.items.begin(), report.items.end(), [](const auto& i) { return i.done; }) == 1);
  expected.shred(eve);
  rig.snapshot();

  // Cut inside a rotation: before the commit the erasure is undone and asked for again, after it finished.
  cut_shred(rig, {{ana2}}, Cut::before_stage);
  CHECK_FALSE(is_gone(rig, ana2));
  cut_shred(rig, {{ana2}}, Cut::after_stage);
  CHECK_FALSE(is_gone(rig, ana2));
  const auto purged = must(rig.vault().purge({}), "purge");
  CHECK(purged.shredded == 1);  // the outstanding erasure
  expected.shred(ana2);
  CHECK(is_gone(rig, ana2));
  rig.snapshot();
  const auto ian = record(Call{.caller = kAna, .agent = "ana", .call_id = ""});
  rig.settle();
  cut_shred(rig, {{ian}}, Cut::before_wipe);
  CHECK(is_gone(rig, ian));
  expected.shred(ian);
  const auto joe = record(Call{.caller = kAna, .agent = "ana", .call_id = ""});
  rig.settle();
  cut_shred(rig, {{joe}}, Cut::after_wipe);
  CHECK(is_gone(rig, joe));
  expected.shred(joe);

  // Two days later new calls come; half a year later the first day expires, but not what is held.
  rig.clock().now_ += std::chrono::hours(48);
  const auto kim = record(Call{.caller = kEve, .agent = "ana", .call_id = ""});
  rig.settle();
  rig.snapshot();
  const auto first_day = must(rig.vault().show(rig.officer(), ana3), "show").expires_at;
  rig.clock().now_ = first_day + std::chrono::hours(1);
  PurgeOptions confirmed;
  must(rig.vault().purge(confirmed), "purge");
  for (const auto& id : {ana3, fay, hal}) {
    expected.shred(id);
    CHECK(is_gone(rig, id));
  }
  rig.snapshot();
  CHECK_FALSE(is_gone(rig, bob));
  CHECK_FALSE(is_gone(rig, kim));

  const auto review = review_key(rig);
  const std::vector<base::Bytes> now{rig.keeper_history().back()};

  {
    INFO("with the present keeper");
    const auto loot = adversary::attack(rig.blobs(), now, &review, kCallers);
    CHECK(loot.secrets == expected.live);
    CHECK(loot.metadata == expected.live);
    CHECK(loot.tracks == expected.tracks);
    // Each living row has one token; what is gone has none that a present key explains.
    CHECK(loot.tokens.at(kBob) == 1);
    CHECK(loot.tokens.at(kEve) == 1);
    for (const auto& caller : {kAna, kFay, kGus, kHal}) CHECK(loot.tokens.at(caller) == 0);
  }
  {
    INFO("the keeper's history shows that the attack has teeth");
    const auto loot = adversary::attack(rig.blobs(), rig.keeper_history(), &review, kCallers);
    CHECK(loot.secrets == expected.all);
    CHECK(loot.tracks == expected.all_tracks);
    CHECK(loot.tokens.at(kAna) >= 3);
  }
  {
    INFO("without the review key nothing is heard");
    const auto loot = adversary::attack(rig.blobs(), rig.keeper_history(), nullptr, {});
    CHECK(loot.tracks.empty());
  }
  {
    INFO("nothing personal stands in the clear, in any file at any time");
    CHECK(adversary::plain_hits(rig.blobs(), kTexts) == std::vector<std::string>{});
  }
  {
    INFO("the vault agrees with itself");
    const auto check = must(rig.vault().check({true}), "check");
    CHECK(check.problems == std::vector<std::string>{});
    CHECK(check.recordings == expected.live.size());
    for (const auto& id : expected.all)
      if (!expected.live.contains(id)) CHECK(must(rig.vault().prove_gone(id), "prove").gone);
    CHECK_FALSE(must(rig.vault().prove_gone(bob), "prove").gone);
    CHECK(must(rig.vault().journal_verify(), "journal").problems == std::vector<std::string>{});
  }
}
