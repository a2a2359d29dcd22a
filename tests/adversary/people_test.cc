// People: who left opens nothing that came after, who may not act is answered nothing, who asked does not approve.
#include <doctest/doctest.h>

#include <fstream>

#include "adversary/attack.h"
#include "adversary/inside.h"
#include "callvault/approvals.h"
#include "callvault/breach.h"
#include "callvault/people.h"
#include "keys/file_keeper.h"
#include "review_ring.h"
#include "rights/people.h"

using namespace callvault;
using namespace adversary;
using namespace std::chrono_literals;

namespace {

class Nowhere final : public ByteSink {
 public:
  Result<void> write(std::span<const std::byte> bytes) override {
    taken += bytes.size();
    return {};
  }
  std::size_t taken = 0;
};

Passphrase word(std::string text) { return must(Passphrase::take(std::span(text.data(), text.size())), "passphrase"); }

Person joined(Rig& rig, const std::string& name, const std::vector<Role>& roles) {
  must(rig.vault().person_add(rig.officer(), {.name = name, .roles = roles}, word(name)), "add");
  return must(rig.vault().unlock(name, word(name)), "unlock");
}

Errc opening(Rig& rig, const Person& person, const RecordingId& id, bool exported = false) {
  Nowhere sink;
  PlayOptions options;
  options.id = id;
  options.purpose = Purpose::complaint;
  options.exported = exported;
  const auto played = rig.vault().play(person, options, sink);
  CHECK((played.has_value() || sink.taken == 0));
  return played ? Errc::overdue : played.error().code;  // overdue: never an answer of play
}
constexpr Errc kOpened = Errc::overdue;

Errc listing(Rig& rig, const Person& person) {
  const auto found = rig.vault().find(person, {}, [](const CallRecord&) { return true; });
  return found ? kOpened : found.error().code;
}

void set_policy(Rig& rig, const std::string& line) {
  std::ifstream in(rig.folder() / "vault.toml");
  std::string text{std::istreambuf_iterator<char>(in), {}};
  text.insert(text.find("[policy]\n") + 9, line + "\n");
  std::ofstream(rig.folder() / "vault.toml", std::ios::trunc) << text;
  rig.reopen();
}

std::size_t ring_of(const Rig& rig, const std::string& name) {
  const base::Layout layout{rig.folder()};
  const auto file = must(os::read_file(layout.people() / name, keys::kMaxIdentityBytes), "identity");
  return must(keys::inspect_identity(file, name), "identity").review_numbers.size();
}

const crypto::Key& review_of(const Person& person, std::uint32_t number) {
  return *must(person.impl().identity.review_key(number), "review key");
}

std::string approval_in(const Error& error) {
  const auto at = error.message.find("A-");
  return at == std::string::npos ? "" : error.message.substr(at, 11);
}

}  // namespace

TEST_CASE("what comes after somebody was disabled opens with none of the keys they had") {
  Rig rig;
  const Person maria = joined(rig, "maria", {Role::reviewer});
  const Person dan = joined(rig, "dan", {Role::reviewer});
  const auto before = rig.record({});
  rig.settle();
  CHECK(opening(rig, maria, before) == kOpened);
  rig.snapshot();
  const auto report = must(rig.vault().person_disable(rig.officer(), "maria"), "disable");
  CHECK(report.review_key == 2);
  CHECK(report.problems.empty());
  const auto after = rig.record({});
  rig.reopen();
  rig.settle();
  rig.snapshot();

  // The keeper side answers nothing, whatever keys she kept.
  CHECK(opening(rig, maria, before) == Errc::refused);
  CHECK(opening(rig, maria, after) == Errc::refused);
  CHECK(ring_of(rig, "maria") == 0);
  // With every byte of the vault and the keeper of today, her keys open what they opened, and nothing since.
  const auto hers = attack(rig.blobs(), {rig.keeper_history().back()}, &review_of(maria, 1), {});
  CHECK(hers.tracks.contains({before, TrackName::mixed}));
  CHECK_FALSE(hers.tracks.contains({after, TrackName::mixed}));
  // Everybody else hears both.
  const Person again = must(rig.vault().unlock("dan", word("dan")), "unlock");
  CHECK(opening(rig, again, before) == kOpened);
  CHECK(opening(rig, again, after) == kOpened);
  const auto theirs = attack(rig.blobs(), {rig.keeper_history().back()}, &review_of(again, 2), {});
  CHECK(theirs.tracks.contains({after, TrackName::mixed}));
}

TEST_CASE("what somebody could reach ends when they were disabled, and so does what their keys fit") {
  Rig rig;
  const Time start = rig.clock().now();
  const auto first = rig.record({});
  rig.settle();
  rig.clock().now_ += 1h;
  joined(rig, "maria", {Role::reviewer});
  rig.clock().now_ += 1h;
  rig.record({});
  rig.record({.consent = Consent::unknown});
  rig.settle();
  rig.clock().now_ += 1h;
  must(rig.vault().person_disable(rig.officer(), "maria"), "disable");
  rig.reopen();
  rig.clock().now_ += 1h;
  rig.record({});
  rig.settle();
  const auto reach = [&](std::chrono::minutes from, std::chrono::minutes to, const std::string& name = "maria") {
    Exposure exposed;
    exposed.kind = Exposure::Kind::person;
    exposed.person = name;
    const auto scope =
        must(breach_scope(rig.vault(), rig.officer(), start + from, start + to, exposed, false), "scope");
    return std::array{scope.present, scope.details_open, scope.audio_open, scope.key_open};
  };
  using Counts = std::array<std::uint64_t, 4>;
  CHECK(reach(0min, 30min) == Counts{1, 0, 0, 1});     // not there yet; the keys she got later fit
  CHECK(reach(90min, 150min) == Counts{3, 3, 2, 3});   // the one in quarantine opens for nobody
  CHECK(reach(0min, 300min) == Counts{4, 3, 2, 3});    // the last is sealed to a key she never had
  CHECK(reach(200min, 300min) == Counts{4, 0, 0, 3});  // not there any more
  CHECK(reach(0min, 300min, "officer") == Counts{4, 4, 3, 4});
  // Shredded since: only its day is known, so it counts as far as it may have been there.
  rig.erase({first});
  CHECK(reach(90min, 150min) == Counts{3, 3, 2, 3});
}

TEST_CASE("the journal says whom of the staff an entry is about, sealed") {
  Rig rig;
  joined(rig, "magdalena-x", {Role::reviewer});
  const Person auditor = joined(rig, "aurel", {Role::auditor});
  must(person_assess(rig.vault(), rig.officer(), {.name = "magdalena-x"}), "assess");
  must(person_renew(rig.vault(), rig.officer(), "magdalena-x", rig.clock().now() + 1h), "renew");
  must(rig.vault().person_disable(rig.officer(), "magdalena-x"), "disable");
  rig.snapshot();
  std::vector<std::string> about;
  must(rig.vault().journal_log(auditor,
                               [&](const JournalLine& line) {
                                 if (line.person == "magdalena-x") about.push_back(line.event);
                                 return true;
                               }),
       "journal");
  CHECK(about == std::vector<std::string>{"person_added", "person_assessed", "person_renewed", "person_disabled"});
  for (const auto& blob : rig.blobs()) {
    const std::string text(base::as_text(blob.bytes));
    if (blob.path.starts_with("journal/")) CHECK(text.find("magdalena") == std::string::npos);
    if (blob.path.starts_with("journal/")) CHECK(text.find("bWFnZGFsZW5hLX") == std::string::npos);  // base 64
  }
}

TEST_CASE("a crash after the recorders have the new key, before the directory counts it, loses nothing") {
  Rig rig;
  const Person maria = joined(rig, "maria", {Role::reviewer});
  inside(rig, [&](Session& session) {
    const auto impl = rig.parts(must(keys::FileKeeper::open(rig.keeper_file().parent_path()), "keeper"));
    auto copy = must(session.directory().clone(), "clone");
    CHECK(must(rotate_review_key(impl, copy, rig.officer(), "maria"), "rotate").number == 2);
  });
  rig.reopen();
  const auto between = rig.record({});
  rig.settle();
  CHECK(opening(rig, rig.officer(), between) == kOpened);
  CHECK(ring_of(rig, "maria") == 1);
  CHECK(ring_of(rig, "officer") == 2);
  // She is not disabled yet, and does not hold what recorders use now.
  CHECK(opening(rig, maria, between) == Errc::refused);
  CHECK(must(rig.vault().person_disable(rig.officer(), "maria"), "disable").review_key == 3);
  rig.reopen();
  const auto after = rig.record({});
  rig.settle();
  const Person nora = joined(rig, "nora", {Role::reviewer});
  for (const auto& id : {between, after}) {
    CHECK(opening(rig, rig.officer(), id) == kOpened);
    CHECK(opening(rig, nora, id) == kOpened);
  }
}

TEST_CASE("a new review key is not granted to an identity that somebody put there") {
  Rig rig;
  joined(rig, "maria", {Role::reviewer});
  joined(rig, "dan", {Role::reviewer});
  const base::Layout layout{rig.folder()};
  auto forged = must(keys::make_identity_file("dan", word("mine"), crypto::kUnsafeFastCost), "identity");
  must(os::replace_file(layout.people() / "dan", forged.file), "put");
  const auto report = must(rig.vault().person_disable(rig.officer(), "maria"), "disable");
  CHECK(report.review_key == 2);
  CHECK(report.problems.size() == 1);
  CHECK(ring_of(rig, "dan") == 0);
}

TEST_CASE("who was not assessed or has not signed is answered nothing; nobody signs for another") {
  Rig rig;
  const Person maria = joined(rig, "maria", {Role::reviewer});
  const auto id = rig.record({});
  rig.settle();
  must(duty_set(rig.vault(), rig.officer(), "What is heard here stays here."), "duty");
  must(person_assess(rig.vault(), rig.officer(), {.name = "officer"}), "assess");
  CHECK(must(person_accept(rig.vault(), rig.officer()), "accept").accepted);
  must(person_assess(rig.vault(), rig.officer(), {.name = "maria"}), "assess");
  CHECK(opening(rig, maria, id) == Errc::refused);
  CHECK(listing(rig, maria) == Errc::refused);

  // The keeper side could write her acceptance; sign it, it cannot.
  inside(rig, [&](Session& session) {
    auto people = must(rights::People::load(session.context()), "people");
    const auto& context = session.context();
    const auto statement = rights::acceptance_statement(context.log.journal().origin(), "maria", people.duty()->number,
                                                        people.duty()->sha256, context.now);
    const rights::Acceptance forged{
        people.duty()->number, people.duty()->sha256, context.now,
        crypto::sign(rig.officer().impl().identity.signing_seed(), base::as_bytes(statement))};
    CHECK(people.accept(context, session.directory().people.at("maria"), forged).error().code == Errc::refused);
    people.edit("maria").acceptances.push_back(forged);
    must(people.stage(session.context()), "stage");
    must(session.state().commit(), "commit");
  });
  CHECK(opening(rig, maria, id) == Errc::refused);
  CHECK_FALSE(must(rig.vault().person_show(rig.officer(), "maria"), "show").accepted);

  CHECK(must(person_accept(rig.vault(), maria), "accept").state == "active");
  CHECK(opening(rig, maria, id) == kOpened);
  must(person_assess(rig.vault(), rig.officer(), {.name = "maria", .until = rig.clock().now() + 1h}), "assess");
  rig.clock().now_ += 1h;
  CHECK(opening(rig, maria, id) == Errc::refused);
  must(person_assess(rig.vault(), rig.officer(), {.name = "maria"}), "assess");
  must(person_renew(rig.vault(), rig.officer(), "maria", rig.clock().now() + 1h), "renew");
  CHECK(opening(rig, maria, id) == kOpened);
  rig.clock().now_ += 1h;
  CHECK(opening(rig, maria, id) == Errc::refused);
}

TEST_CASE("what needs two is done once, unchanged, and not by one; who is meant stands nowhere in the clear") {
  Rig rig;
  const Person otto = joined(rig, "otto", {Role::officer});
  const auto id = rig.record({});
  const auto other = rig.record({});
  rig.settle();
  must(rig.vault().hold(rig.officer(), {id, "case of Mircea Ionescu", std::nullopt}), "hold");
  set_policy(rig, "dual_control = [\"unhold\", \"erase\"]");
  const auto unhold = [&] { return rig.vault().unhold(rig.officer(), id, "case of Mircea Ionescu"); };
  const auto asked = unhold();
  REQUIRE_FALSE(asked.has_value());
  CHECK(asked.error().code == Errc::refused);
  const std::string approval = approval_in(asked.error());
  rig.snapshot();
  CHECK(adversary::plain_hits(rig.blobs(), {"Mircea Ionescu"}) == std::vector<std::string>{});

  CHECK_FALSE(approve(rig.vault(), rig.officer(), approval, true).has_value());
  CHECK_FALSE(unhold().has_value());
  must(approve(rig.vault(), otto, approval, true), "approve");
  // Neither for something else, nor for somebody else.
  EraseOptions erasure;
  erasure.ids = {other};
  erasure.request = "R-1";
  CHECK_FALSE(rig.vault().erase(rig.officer(), erasure).has_value());
  CHECK_FALSE(rig.vault().unhold(otto, id, "case of Mircea Ionescu").has_value());
  must(unhold(), "unhold");
  must(rig.vault().hold(rig.officer(), {id, "case of Mircea Ionescu", std::nullopt}), "hold");
  CHECK_FALSE(unhold().has_value());

  // An approval is over when its time is.
  erasure.request = "R-2";
  const auto erased = rig.vault().erase(rig.officer(), erasure);
  REQUIRE_FALSE(erased.has_value());
  must(approve(rig.vault(), otto, approval_in(erased.error()), true), "approve");
  rig.clock().now_ += 24h;
  CHECK_FALSE(rig.vault().erase(rig.officer(), erasure).has_value());
  CHECK_FALSE(is_gone(rig, other));
}
