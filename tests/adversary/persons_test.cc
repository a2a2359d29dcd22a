// What is done for one person with several numbers, and what is left of it for someone who keeps every byte.
#include <doctest/doctest.h>

#include <algorithm>

#include "adversary/attack.h"
#include "adversary/rig.h"
#include "base/text.h"
#include "callvault/subjects.h"
#include "context/aliases.h"
#include "keys/file_keeper.h"
#include "keys/register_file.h"

using namespace callvault;
using adversary::Call;
using adversary::must;
using adversary::Rig;
using namespace std::chrono_literals;

namespace {

const std::string kFirst = "+40722000021", kSecond = "+40733000022", kThird = "+40744000023",
                  kStranger = "+40755000024";
const std::vector<std::string> kNumbers{"22000021", "33000022", "44000023", "Ileana Stan", "she moved house"};

// The texts of all old versions of the registers that any old directory opens which today's keeper opens.
std::string readable_registers(Rig& rig) {
  auto keeper = must(keys::FileKeeper::open(rig.keeper_file().parent_path()), "keeper");
  const auto slots = must(keeper->read(), "roots");
  std::string out;
  for (const auto& directory_blob : rig.blobs()) {
    if (directory_blob.path != "keys/directory") continue;
    for (const auto& slot : slots) {
      const auto directory = keys::open_directory(directory_blob.bytes, slot.root);
      if (!directory) continue;
      for (const auto& blob : rig.blobs()) {
        if (!blob.path.starts_with("keys/registers/")) continue;
        const std::string file = blob.path.substr(std::string("keys/registers/").size());
        const auto dot = file.rfind('.');
        for (const auto& [name, known] : directory->registers) {
          const auto plain =
              keys::open_register(blob.bytes, file.substr(0, dot), std::stoull(file.substr(dot + 1)), known.key);
          if (plain) out += std::string(base::as_text(*plain)) + "\n";
        }
      }
    }
  }
  return out;
}

// The same of buckets' nodes: what stands in rows besides secrets.
std::string readable_nodes(Rig& rig) {
  auto keeper = must(keys::FileKeeper::open(rig.keeper_file().parent_path()), "keeper");
  const auto parts = rig.parts(std::move(keeper));
  const auto state = must(keys::KeyState::load(parts.layout, *parts.keeper, keys::KeyState::Access::look), "key state");
  std::string out;
  for (const auto& blob : rig.blobs()) {
    if (!blob.path.starts_with("keys/buckets/")) continue;
    const std::string file = blob.path.substr(std::string("keys/buckets/").size());
    const auto dot = file.find('.');
    for (const auto& [number, bucket] : state.directory().buckets) {
      const auto node = keys::open_node(blob.bytes, static_cast<std::uint32_t>(std::stoul(file.substr(0, dot))),
                                        std::stoull(file.substr(dot + 1)), bucket.node_key);
      if (!node) continue;
      for (const auto& row : must(node->rows(), "rows")) {
        for (const auto& c : row.corrections) out += c.value + "\n";
        if (row.deferred) out += row.deferred->request + " " + row.deferred->reason + "\n";
      }
    }
  }
  return out;
}

// In the clear, or as the bytes stand in JSON.
bool holds_any(const std::string& text, const std::vector<std::string>& words) {
  return std::any_of(words.begin(), words.end(), [&](const std::string& word) {
    return text.find(word) != std::string::npos || text.find(base::to_hex(base::as_bytes(word))) != std::string::npos;
  });
}

EraseReport erase_person(Rig& rig, const std::string& number, const std::string& request = "R-17") {
  EraseOptions options;
  options.caller = number;
  options.request = request;
  options.reason = "she moved house";
  return must(rig.vault().erase(rig.officer(), options), "erase");
}

bool gone(Rig& rig, const RecordingId& id) {
  const auto shown = rig.vault().show(rig.officer(), id);
  return !shown && shown.error().code == Errc::gone;
}

RequestOptions request_of(RequestKind kind, std::vector<std::string> numbers) {
  RequestOptions options;
  options.kind = kind;
  options.name = "Ileana Stan";
  options.numbers = std::move(numbers);
  return options;
}

void rotate_past_person(Rig& rig) {
  const auto id = rig.record({.caller = kStranger});
  rig.settle();
  rig.erase({id});
  rig.snapshot();
}

}  // namespace

TEST_CASE("a person is erased over all numbers, and nothing names them afterwards") {
  Rig rig;
  std::vector<RecordingId> theirs;
  for (const auto& number : {kFirst, kSecond, kThird}) theirs.push_back(rig.record({.caller = number}));
  const auto other = rig.record({.caller = kStranger});
  rig.settle();
  must(alias_add(rig.vault(), rig.officer(), {kFirst, kSecond}, "R-17"), "alias");
  must(alias_add(rig.vault(), rig.officer(), {kThird, kSecond}, "R-17"), "alias");
  rig.snapshot();
  CHECK(must(alias_show(rig.vault(), rig.officer(), kFirst), "show").numbers ==
        std::vector<std::string>{kFirst, kSecond, kThird});
  // The register alone, opened, lists nobody.
  CHECK_FALSE(holds_any(readable_registers(rig), kNumbers));
  const auto report = erase_person(rig, kThird);
  CHECK(report.items.size() == 3);
  for (const auto& id : theirs) CHECK(gone(rig, id));
  CHECK_FALSE(gone(rig, other));
  rig.snapshot();
  CHECK_FALSE(holds_any(readable_registers(rig), kNumbers));
  CHECK(adversary::plain_hits(rig.blobs(), kNumbers) == std::vector<std::string>{});
  // The group went with the last recording.
  CHECK_FALSE(alias_show(rig.vault(), rig.officer(), kFirst).has_value());
}

TEST_CASE("one number's objection is all numbers'") {
  Rig rig;
  must(alias_add(rig.vault(), rig.officer(), {kFirst, kSecond}, ""), "alias");
  CHECK(must(rig.vault().opt_out_add(rig.officer(), {kSecond, ""}), "opt out"));
  rig.clock().now_ += 1h;
  const auto call = rig.record({.caller = kFirst});
  rig.settle();
  CHECK(gone(rig, call));
  CHECK_FALSE(must(rig.vault().may_record(kFirst), "may record").allowed);
  // It outlives the group.
  must(alias_remove(rig.vault(), rig.officer(), kFirst), "alias");
  CHECK_FALSE(must(rig.vault().may_record(kFirst), "may record").allowed);
  CHECK_FALSE(must(rig.vault().may_record(kSecond), "may record").allowed);
  CHECK(must(rig.vault().opt_out_remove(rig.officer(), {kFirst, ""}), "opt in"));
  CHECK(must(rig.vault().may_record(kFirst), "may record").allowed);
  CHECK_FALSE(must(rig.vault().may_record(kSecond), "may record").allowed);
}

TEST_CASE("an objection of before the numbers were known as one person's counts for all of them") {
  Rig rig;
  CHECK(must(rig.vault().opt_out_add(rig.officer(), {kSecond, ""}), "opt out"));
  rig.clock().now_ += 1h;
  must(alias_add(rig.vault(), rig.officer(), {kFirst, kSecond}, ""), "alias");
  const auto call = rig.record({.caller = kFirst});
  rig.settle();
  CHECK(gone(rig, call));
}

TEST_CASE("a withdrawal opts every number out") {
  Rig rig;
  const auto id = rig.record({.caller = kFirst});
  rig.settle();
  must(alias_add(rig.vault(), rig.officer(), {kFirst, kSecond}, ""), "alias");
  must(rig.vault().set_consent(rig.officer(), {id, Party::caller, Consent::withdrawn, ""}), "withdraw");
  must(alias_remove(rig.vault(), rig.officer(), kFirst), "alias");
  CHECK_FALSE(must(rig.vault().may_record(kSecond), "may record").allowed);
}

TEST_CASE("an erasure that a hold defers is carried out when it ends, whatever happens in between") {
  Rig rig;
  const auto lifted = rig.record({.caller = kFirst});
  const auto ending = rig.record({.caller = kFirst});
  const auto restricted = rig.record({.caller = kFirst});
  rig.settle();
  must(rig.vault().hold(rig.officer(), {lifted, "trial", std::nullopt}), "hold");
  must(rig.vault().hold(rig.officer(), {ending, "trial", rig.clock().now_ + 24h}), "hold");
  must(rig.vault().restrict(rig.officer(), restricted, true, "contested"), "restrict");
  const auto request = must(rig.vault().request_open(rig.officer(), request_of(RequestKind::erase, {kFirst})), "open");
  const auto report = erase_person(rig, kFirst, request.id);
  CHECK(std::all_of(report.items.begin(), report.items.end(), [](const auto& i) { return i.deferred && !i.done; }));
  CHECK(must(rig.vault().request_show(rig.officer(), request.id), "show").deferred.size() == 3);
  CHECK(must(rig.vault().status(), "status").deferred == 3);
  CHECK(must(rig.vault().status(), "status").outstanding == 0);
  rig.snapshot();
  // The bucket is rewritten, the catalogue made anew, the vault opened again, a purge passes: it is not forgotten.
  rotate_past_person(rig);
  must(rig.vault().reindex(), "reindex");
  rig.reopen();
  must(rig.vault().purge({}), "purge");
  CHECK(must(rig.vault().status(), "status").deferred == 3);
  CHECK(must(rig.vault().unhold(rig.officer(), lifted, "trial"), "unhold"));
  CHECK(gone(rig, lifted));
  CHECK(must(rig.vault().restrict(rig.officer(), restricted, false, "settled"), "unrestrict"));
  CHECK(gone(rig, restricted));
  CHECK_FALSE(gone(rig, ending));
  rig.clock().now_ += 25h;
  CHECK(must(rig.vault().purge({}), "purge").shredded == 1);
  CHECK(gone(rig, ending));
  CHECK(must(rig.vault().prove_gone(ending), "prove").gone);
  rig.snapshot();
  const auto after = must(rig.vault().request_show(rig.officer(), request.id), "show");
  CHECK(after.deferred.empty());
  CHECK(std::count_if(after.history.begin(), after.history.end(),
                      [](const RequestStep& s) { return s.what == "erased"; }) == 4);
  // For whom it waited went with each recording; only the request itself still knows who asked.
  CHECK_FALSE(holds_any(readable_nodes(rig), {request.id, "moved house"}));
  CHECK(must(rig.vault().status(), "status").deferred == 0);
}

TEST_CASE("a deferred erasure keeps a recording from all but legal claims, and from no further hold") {
  Rig rig;
  const auto id = rig.record({.caller = kFirst});
  rig.settle();
  must(rig.vault().hold(rig.officer(), {id, "trial", std::nullopt}), "hold");
  erase_person(rig, kFirst);
  must(rig.vault().hold(rig.officer(), {id, "appeal", std::nullopt}), "hold again");
  CHECK_FALSE(must(rig.vault().unhold(rig.officer(), id, "trial"), "unhold"));
  CHECK_FALSE(gone(rig, id));
  CHECK(must(rig.vault().unhold(rig.officer(), id, "appeal"), "unhold"));
  CHECK(gone(rig, id));
}

TEST_CASE("what was corrected is what is found, and dies with the recording") {
  Rig rig;
  const auto id = rig.record({.caller = kFirst, .agent = "ana"});
  const auto other = rig.record({.caller = kStranger});
  rig.settle();
  rig.snapshot();
  const auto fixed = must(rectify(rig.vault(), rig.officer(),
                                  {id, {{"caller", kSecond}, {"agent", "Ileana Stan"}}, "R-17", "she moved house"}),
                          "rectify");
  CHECK(fixed.caller == kSecond);
  CHECK(fixed.rectified == std::vector<std::string>{"caller", "agent"});
  rig.snapshot();
  must(rig.vault().reindex(), "reindex");
  CHECK(must(rig.vault().show(rig.officer(), id), "show").caller == kSecond);
  const auto found = [&](const std::string& number) {
    std::size_t n = 0;
    Query query;
    query.caller = number;
    must(rig.vault().find(rig.officer(), query, [&](const CallRecord&) { return ++n > 0; }), "find");
    return n;
  };
  CHECK(found(kSecond) == 1);
  CHECK(found(kFirst) == 0);
  rig.snapshot();
  CHECK(holds_any(readable_nodes(rig), {kSecond}));
  CHECK(adversary::plain_hits(rig.blobs(), kNumbers) == std::vector<std::string>{});
  erase_person(rig, kSecond);
  CHECK(gone(rig, id));
  CHECK_FALSE(gone(rig, other));
  rig.snapshot();
  CHECK_FALSE(holds_any(readable_nodes(rig), kNumbers));
  CHECK(adversary::plain_hits(rig.blobs(), kNumbers) == std::vector<std::string>{});
}

TEST_CASE("what the purge drops from the registers is forgotten the same night") {
  Rig rig;
  const auto request = must(rig.vault().request_open(rig.officer(), request_of(RequestKind::access, {kFirst})), "open");
  must(rig.vault().request_decide(rig.officer(), request.id, RequestDecision::granted, ""), "decide");
  must(rig.vault().request_close(rig.officer(), request.id, ""), "close");
  must(alias_add(rig.vault(), rig.officer(), {kFirst, kSecond}, ""), "alias");
  rig.snapshot();
  CHECK(holds_any(readable_registers(rig), kNumbers));
  const auto zone = must(base::Zone::find("Europe/Bucharest"), "zone");
  const Time end = must(zone.add(rig.clock().now_, Period{36, 0}), "end");
  rig.clock().now_ = end - 1h;
  must(rig.vault().purge({.confirm = 0}), "purge");
  rig.snapshot();
  CHECK(holds_any(readable_registers(rig), kNumbers));
  // Nothing else is to be shredded, and the intake keys are fresh: it rotates for the registers alone.
  rig.clock().now_ = end + 1h;
  must(rig.vault().purge({}), "purge");
  rig.snapshot();
  CHECK_FALSE(holds_any(readable_registers(rig), kNumbers));
  CHECK_FALSE(alias_show(rig.vault(), rig.officer(), kFirst).has_value());
}

TEST_CASE("a damaged register stops no erasure and no purge") {
  Rig rig;
  const auto old = rig.record({.caller = kFirst});
  rig.settle();
  CHECK(must(rig.vault().opt_out_add(rig.officer(), {kThird, ""}), "opt out"));
  must(alias_add(rig.vault(), rig.officer(), {kFirst, kSecond}, ""), "alias");
  must(rig.vault().request_open(rig.officer(), request_of(RequestKind::erase, {kFirst})), "open");
  const auto asked = rig.record({.caller = kSecond});
  rig.settle();
  for (const auto& entry : std::filesystem::directory_iterator(rig.folder() / "keys" / "registers"))
    std::filesystem::resize_file(entry.path(), 40);
  const auto report = erase_person(rig, kSecond);
  CHECK(gone(rig, asked));
  CHECK(report.problems.size() >= 2);
  // A call whose person may have objected waits; what has expired goes.
  const auto waiting = rig.record({.caller = kThird});
  rig.settle();
  CHECK(rig.vault().show(rig.officer(), waiting).error().code == Errc::busy);
  rig.clock().now_ = must(rig.vault().show(rig.officer(), old), "show").expires_at + 1h;
  const auto purged = must(rig.vault().purge({.confirm = 1}), "purge");
  CHECK(purged.shredded == 1);
  CHECK(purged.damaged.size() == 3);
  CHECK(gone(rig, old));
}

TEST_CASE("the number that stays with the agent's voice is for officers, and goes with an erasure") {
  Rig rig;
  const auto theirs = rig.record({.caller = kFirst, .stereo = true});
  const auto living = rig.record({.caller = kStranger, .stereo = true});
  rig.settle();
  ConsentChange change;
  change.id = theirs;
  change.consent = Consent::withdrawn;
  change.keep_agent = true;
  CHECK(must(rig.vault().set_consent(rig.officer(), change), "withdraw").agent_kept);
  rig.snapshot();

  std::string text("another horse");
  const auto passphrase = must(Passphrase::take(std::span(text.data(), text.size())), "passphrase");
  must(rig.vault().person_add(rig.officer(), {"rita", {Role::reviewer}}, passphrase), "add");
  const auto rita = must(rig.vault().unlock("rita", passphrase), "unlock");
  const auto numbers = [&](const Person& who, const Query& query) {
    std::vector<std::string> out;
    must(rig.vault().find(who, query,
                          [&](const CallRecord& record) {
                            out.push_back(record.caller);
                            return true;
                          }),
         "find");
    std::sort(out.begin(), out.end());
    return out;
  };
  Query by_number;
  by_number.caller = kFirst;
  CHECK(numbers(rig.officer(), by_number) == std::vector<std::string>{kFirst});
  CHECK(must(rig.vault().show(rig.officer(), theirs), "show").caller == kFirst);
  CHECK(numbers(rita, by_number).empty());
  CHECK(numbers(rita, {}) == std::vector<std::string>{"", kStranger});
  CHECK(must(rig.vault().show(rita, theirs), "show").caller.empty());

  CHECK(erase_person(rig, kFirst).items.size() == 1);
  rotate_past_person(rig);
  CHECK(gone(rig, theirs));
  CHECK_FALSE(gone(rig, living));
  // Whoever kept every byte and takes today's keeper: nothing of that call, its number included.
  const auto loot = adversary::attack(rig.blobs(), {rig.keeper_history().back()}, nullptr, {kFirst, kStranger});
  CHECK_FALSE(loot.secrets.contains(theirs));
  CHECK_FALSE(loot.metadata.contains(theirs));
  CHECK(loot.metadata.contains(living));
  CHECK(adversary::plain_hits(rig.blobs(), kNumbers) == std::vector<std::string>{});
}
