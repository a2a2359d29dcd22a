// The promise with two keepers: what was shredded opens with neither of them, whoever was away in between.
#include <doctest/doctest.h>

#include <fstream>
#include <iterator>

#include "adversary/attack.h"
#include "callvault/keeper.h"

using namespace callvault;
using adversary::Call;
using adversary::must;
using adversary::Rig;

namespace {

namespace fs = std::filesystem;

const std::string kKim = "+40722000001", kLou = "+40722000002", kMia = "+40722000003", kNed = "+40722000004";
const std::vector<std::string> kFour{kKim, kLou, kMia, kNed};

// A vault with two keepers, each of which can be taken away, and every content either ever had.
class Pair {
 public:
  Pair() {
    MirrorOptions options;
    options.place = mirror_.string();
    options.unsafe = true;
    calls_.push_back(rig.record(Call{.caller = kKim}));
    rig.settle();
    watch();
    must(keeper_mirror(rig.vault(), options), "mirror");
    watch();
    for (const auto& caller : {kLou, kMia, kNed}) calls_.push_back(rig.record(Call{.caller = caller}));
    rig.settle();
    watch();
  }

  const RecordingId& call(const std::string& caller) const {
    return calls_.at(static_cast<std::size_t>(std::find(kFour.begin(), kFour.end(), caller) - kFour.begin()));
  }
  void watch() {
    rig.snapshot();
    for (auto& bytes : now()) history.push_back(std::move(bytes));
  }
  // What is there of the two at this moment.
  std::vector<base::Bytes> now() const {
    std::vector<base::Bytes> out;
    for (const auto& folder : {first(), mirror_}) {
      std::ifstream in(folder / "root", std::ios::binary);
      if (!in) continue;
      const std::string text{std::istreambuf_iterator<char>(in), {}};
      out.push_back(base::to_bytes(base::as_bytes(text)));
    }
    return out;
  }
  // Whose calls those bytes open, with all that the vault ever wrote and the review key.
  std::set<std::string> heard(const std::vector<base::Bytes>& keepers) {
    const auto review = must(must(rig.officer().impl().identity.review_key(1), "review")->clone(), "clone");
    const auto loot = adversary::attack(rig.blobs(), keepers, &review, {});
    std::set<std::string> out;
    for (const auto& caller : kFour) {
      const auto& id = call(caller);
      CHECK(loot.tracks.contains({id, TrackName::mixed}) == loot.secrets.contains(id));
      if (loot.secrets.contains(id) || loot.metadata.contains(id)) out.insert(caller);
    }
    return out;
  }
  fs::path first() const { return rig.keeper_file().parent_path(); }
  const fs::path& mirror() const { return mirror_; }

  Rig rig;
  std::vector<base::Bytes> history;

 private:
  fs::path mirror_ = rig.folder().parent_path() / "mirror";
  std::vector<RecordingId> calls_;
};

fs::path away(const fs::path& keeper) { return keeper.string() + ".away"; }

using Names = std::set<std::string>;

}  // namespace

TEST_CASE("every old byte and today's keepers, both of them, open the living and none of the shredded") {
  Pair pair;
  Rig& rig = pair.rig;
  CHECK(pair.heard(pair.now()) == Names{kKim, kLou, kMia, kNed});

  // Both are there: final at once, also for what a backup of before the mirror holds.
  rig.erase({pair.call(kKim)});
  pair.watch();
  CHECK(pair.heard(pair.now()) == Names{kLou, kMia, kNed});
  CHECK(must(rig.vault().prove_gone(pair.call(kKim)), "prove").gone);

  // The mirror is away: its root of then still opens Bob's call, and that is what the vault says.
  fs::rename(pair.mirror(), away(pair.mirror()));
  rig.erase({pair.call(kLou)});
  pair.watch();
  CHECK(pair.heard(pair.now()) == Names{kMia, kNed});
  fs::rename(away(pair.mirror()), pair.mirror());
  CHECK_FALSE(must(rig.vault().prove_gone(pair.call(kLou)), "prove").gone);
  CHECK(pair.heard(pair.now()) == Names{kLou, kMia, kNed});
  CHECK(must(rig.vault().purge({}), "purge").outstanding == 0);
  pair.watch();
  CHECK(pair.heard(pair.now()) == Names{kMia, kNed});
  CHECK(must(rig.vault().prove_gone(pair.call(kLou)), "prove").gone);

  // The first is away, and the mirror opens the vault.
  fs::rename(pair.first(), away(pair.first()));
  rig.reopen();
  rig.erase({pair.call(kMia)});
  pair.watch();
  CHECK(pair.heard(pair.now()) == Names{kNed});
  fs::rename(away(pair.first()), pair.first());
  rig.reopen();
  CHECK(pair.heard(pair.now()) == Names{kMia, kNed});
  CHECK(must(rig.vault().purge({}), "purge").outstanding == 0);
  pair.watch();
  CHECK(pair.heard(pair.now()) == Names{kNed});
  CHECK(must(rig.vault().prove_gone(pair.call(kMia)), "prove").gone);

  // The rest by a purge, on both.
  rig.clock().now_ = must(rig.vault().show(rig.officer(), pair.call(kNed)), "show").expires_at + std::chrono::hours(1);
  CHECK(must(rig.vault().purge({}), "purge").shredded == 1);
  pair.watch();
  CHECK(pair.heard(pair.now()).empty());
  {
    INFO("the keepers' history shows that the attack has teeth");
    CHECK(pair.heard(pair.history) == Names{kKim, kLou, kMia, kNed});
  }
  CHECK(adversary::plain_hits(rig.blobs(), kFour) == std::vector<std::string>{});
  CHECK(must(rig.vault().check({true}), "check").problems == std::vector<std::string>{});
}
