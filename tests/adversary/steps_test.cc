// The steps of a shred, one by one: who has to wait, who is asked to end, what must go together.
#include <doctest/doctest.h>

#include "adversary/attack.h"
#include "adversary/inside.h"
#include "sealed/header.h"
#include "sealed/names.h"
#include "shred/intent.h"

using namespace callvault;
using namespace adversary;
using namespace std::chrono_literals;

namespace {

const std::string kIda = "+40722000001", kJan = "+40722000002";

std::size_t journalled(Rig& rig, const std::string& event) {
  std::size_t count = 0;
  inside(rig, [&](Session& session) {
    must(session.context().log.journal().for_each(0,
                                                  [&](std::uint64_t, const journal::Entry& entry) -> Result<bool> {
                                                    count += entry.event == event ? 1U : 0U;
                                                    return true;
                                                  }),
         "journal");
  });
  return count;
}

Loot present_loot(Rig& rig, const std::vector<std::string>& callers = {}) {
  const auto review = must(must(rig.officer().impl().identity.review_key(1), "review")->clone(), "clone");
  return attack(rig.blobs(), {rig.keeper_history().back()}, &review, callers);
}

RecordingId stereo(Rig& rig) {
  const auto id = rig.record(Call{.caller = kIda, .agent = "ana", .call_id = "", .stereo = true});
  rig.settle();
  return id;
}

}  // namespace

TEST_CASE("one party's shred that was cut short is about that party when it is taken up again") {
  Rig rig;
  const auto id = stereo(rig);
  const auto other = stereo(rig);
  cut_shred(rig, {{id, "consent_withdrawn", TrackName::agent}}, Cut::after_stage);
  CHECK(outstanding(rig) == Asked{{id, TrackName::agent}});
  CHECK(tracks_left(rig, id) == std::set{TrackName::caller, TrackName::agent});

  // Asked again while it is outstanding: still one request.
  cut_shred(rig, {{id, "consent_withdrawn", TrackName::agent}}, Cut::before_stage);
  CHECK(outstanding(rig) == Asked{{id, TrackName::agent}});

  must(rig.vault().purge({}), "purge");
  rig.snapshot();
  CHECK(tracks_left(rig, id) == std::set{TrackName::caller});
  CHECK(tracks_left(rig, other) == std::set{TrackName::caller, TrackName::agent});
  CHECK(outstanding(rig).empty());
  const auto loot = present_loot(rig);
  CHECK(loot.tracks.contains({id, TrackName::caller}));
  CHECK_FALSE(loot.tracks.contains({id, TrackName::agent}));
}

TEST_CASE("a stalled recorder puts off what is sealed to its key, and only that") {
  Rig rig;
  const auto early = stereo(rig);
  const auto voice = stereo(rig);
  const auto view = must(keys::RecorderView::open(rig.folder()), "view");
  std::optional<keys::IntakeLease> stalled(must(view.acquire_intake(), "lease"));
  shred::Options hurried;
  hurried.intake_patience = 50ms;
  inside(rig, [&](Session& session) {
    const auto report = shred_now(
        session, {{early}, {early, "erased", TrackName::agent}, {voice, "erased", TrackName::agent}}, hurried);
    CHECK(report.shredded == 0);
    CHECK(report.outstanding == [&] {
      std::vector<RecordingId> both{early, voice};
      std::sort(both.begin(), both.end());
      return both;
    }());
  });
  CHECK(outstanding(rig) == Asked{{early, std::nullopt}, {voice, TrackName::agent}});
  CHECK(tracks_left(rig, early).size() == 2);
  // The next key is free: what is sealed to it goes at once.
  const auto late = stereo(rig);
  rig.erase({late});
  CHECK(is_gone(rig, late));
  stalled.reset();
  must(rig.vault().purge({}), "purge");
  rig.snapshot();
  CHECK(is_gone(rig, early));
  CHECK(tracks_left(rig, voice) == std::set{TrackName::caller});
  CHECK(outstanding(rig).empty());
  CHECK(present_loot(rig).tracks == std::set<std::pair<RecordingId, TrackName>>{{voice, TrackName::caller}});
}

TEST_CASE("an erasure that fails before its intent stays asked for") {
  Rig rig;
  const auto id = stereo(rig);
  inside(rig, [&](Session& session) {
    auto& context = session.context();
    const auto bucket = must(locate_stored(context, id), "locate").bucket;
    shred::Options full;
    full.settle_everything = []() -> Result<std::vector<std::uint32_t>> { return fail(Errc::no_space, "a full disk"); };
    CHECK_FALSE(shred::run(context, {{id, bucket, "erased", std::nullopt}}, full).has_value());
  });
  CHECK(outstanding(rig) == Asked{{id, std::nullopt}});
  must(rig.vault().purge({}), "purge");
  CHECK(is_gone(rig, id));
  CHECK(outstanding(rig).empty());
}

TEST_CASE("a withdrawal that was journalled but not carried out takes the agent's voice, not the call") {
  Rig rig;
  const auto id = stereo(rig);
  // As a power cut between the two steps of set_consent leaves it.
  inside(rig, [&](Session& session) {
    const auto found = must(locate_stored(session.context(), id), "locate");
    auto rows = must(found.node.rows(), "rows");
    for (auto& row : rows)
      if (row.id == id) row.agent_consent = Consent::withdrawn;
    must(session.state().stage_node(session.state().edit().buckets.at(found.bucket), rows), "node");
    must(session.state().commit(), "commit");
  });
  must(rig.vault().purge({}), "purge");
  CHECK(tracks_left(rig, id) == std::set{TrackName::caller});
}

TEST_CASE("the agent's voice that is kept at a withdrawal stays, and opens, when the caller's is gone for good") {
  Rig rig;
  const auto kept = stereo(rig), cut = stereo(rig);
  const ConsentChange change{kept, Party::caller, Consent::withdrawn, "", true};
  CHECK(must(rig.vault().set_consent(rig.officer(), change), "withdraw").agent_kept);
  // As a power cut before the shred leaves it: the wish, then the consent.
  inside(rig, [&](Session& session) {
    const auto found = must(locate_stored(session.context(), cut), "locate");
    must(shred::keep_outstanding(session.context(), {{cut, found.bucket, "consent_withdrawn", TrackName::caller}}),
         "wish");
    auto rows = must(found.node.rows(), "rows");
    for (auto& row : rows)
      if (row.id == cut) row.caller_consent = Consent::withdrawn;
    must(session.state().stage_node(session.state().edit().buckets.at(found.bucket), rows), "node");
    must(session.state().commit(), "commit");
  });
  for (int night = 0; night < 2; ++night) must(rig.vault().purge({}), "purge");
  rig.snapshot();
  const std::set<std::pair<RecordingId, TrackName>> voices{{kept, TrackName::agent}, {cut, TrackName::agent}};
  CHECK(present_loot(rig).tracks == voices);
  CHECK(outstanding(rig).empty());
  for (const auto& id : {kept, cut}) {
    CHECK(tracks_left(rig, id) == std::set{TrackName::agent});
    CHECK(must(rig.vault().show(rig.officer(), id), "show").consent_of(Party::caller) == Consent::withdrawn);
  }
}

TEST_CASE("two wishes about one recording are one: both voices are the whole") {
  Rig rig;
  const auto both = stereo(rig), whole = stereo(rig), one = stereo(rig);
  inside(rig, [&](Session& session) {
    const auto report = shred_now(session, {{both, "consent_withdrawn", TrackName::agent},
                                            {whole},
                                            {one, "consent_withdrawn", TrackName::agent},
                                            {both, "consent_withdrawn", TrackName::caller},
                                            {whole, "consent_withdrawn", TrackName::agent},
                                            {one, "consent_withdrawn", TrackName::agent}});
    CHECK(report.shredded == 3);
  });
  rig.snapshot();
  CHECK(is_gone(rig, both));
  CHECK(is_gone(rig, whole));
  CHECK(tracks_left(rig, one) == std::set{TrackName::caller});
  CHECK(present_loot(rig).secrets == std::set{one});
  CHECK(journalled(rig, "track_shredded") == 1);
  CHECK(must(rig.vault().check({true}), "check").problems == std::vector<std::string>{});
}

TEST_CASE("a live call is asked to end before the next intake key can be seen") {
  Rig rig;
  LiveCall live(rig, kJan, false);
  rig.snapshot();
  inside(rig, [&](Session& session) {
    auto& context = session.context();
    must(capture::settle(context, capture::SettleMode::everything), "settle");
    const auto stop = context.layout.incoming() / sealed::stop_file_name(live.id());
    const auto newest = session.directory().intake.rbegin()->first;
    bool asked_first = false;
    shred::Options options;
    options.settle_everything = [&]() -> Result<std::vector<std::uint32_t>> {
      asked_first = os::exists(stop) && session.directory().intake.rbegin()->first > newest;
      return std::vector<std::uint32_t>{};
    };
    CHECK(shred_now(session, {{live.id()}}, options).shredded == 1);
    CHECK(asked_first);
  });
  // What its recorder does until it looks: nothing that the next key opens.
  CHECK_FALSE(live.speak_on_a_failing_disk());
  rig.snapshot();
  live.hang_up();
  rig.settle();
  rig.snapshot();
  CHECK(is_gone(rig, live.id()));
  const auto loot = present_loot(rig, {kJan});
  CHECK(loot.secrets.empty());
  CHECK(loot.tokens.at(kJan) == 0);
  CHECK(must(os::list_folder(rig.folder() / "incoming"), "list").empty());
}

TEST_CASE("a key that only an unsettled segment names goes with its call") {
  Rig rig;
  LiveCall live(rig, kJan, false);
  inside(rig, [&](Session& session) {
    must(capture::settle(session.context(), capture::SettleMode::everything), "settle");
    shred::Options nightly;
    nightly.retire_all_intake = true;
    shred_now(session, {}, nightly);
  });
  CHECK(live.speak_on_a_failing_disk());  // a segment sealed to the next key
  rig.snapshot();
  live.hang_up();
  // Its recorder died; the row says that the call goes on, and knows nothing of the second segment nor of its key,
  // which is not the newest any more.
  inside(rig, [&](Session& session) {
    const auto found = must(locate_stored(session.context(), live.id()), "locate");
    CHECK(found.row.tracks.size() == 1);
    const auto newer = must(session.state().add_intake(session.context().now), "key");
    must(session.state().commit(), "commit");
    must(session.state().publish_intake(newer), "publish");
    CHECK(shred_now(session, {{live.id()}}).shredded == 1);
  });
  rig.settle();
  rig.snapshot();
  CHECK(present_loot(rig).secrets.empty());
  CHECK(must(os::list_folder(rig.folder() / "incoming"), "list").empty());
}

TEST_CASE("a voice of a call that goes on is put off until its recorder has ended") {
  Rig rig;
  LiveCall live(rig, kJan, true);
  inside(rig, [&](Session& session) {
    must(capture::settle(session.context(), capture::SettleMode::everything), "settle");
    const auto report = shred_now(session, {{live.id(), "consent_withdrawn", TrackName::agent}});
    CHECK(report.shredded == 0);
    CHECK(report.outstanding == std::vector{live.id()});
  });
  CHECK(os::exists(rig.folder() / "incoming" / sealed::stop_file_name(live.id())));
  CHECK(outstanding(rig) == Asked{{live.id(), TrackName::agent}});
  live.hang_up();
  rig.snapshot();
  must(rig.vault().purge({}), "purge");
  rig.snapshot();
  CHECK(tracks_left(rig, live.id()) == std::set{TrackName::caller});
  CHECK(present_loot(rig).tracks == std::set<std::pair<RecordingId, TrackName>>{{live.id(), TrackName::caller}});
  CHECK(must(rig.vault().check({true}), "check").problems == std::vector<std::string>{});
}

TEST_CASE("cleaning that was cut behind its last journal entry does not journal it twice") {
  Rig rig;
  const auto id = stereo(rig);
  os::Path pending;
  std::uint64_t before = 0;
  inside(rig, [&](Session& session) {
    pending = shred::pending_path(session.context().layout);
    before = must(session.context().log.journal().head(), "head").size;
    shred_now(session, {{id}});
  });
  must(os::replace_file(pending, base::as_bytes(std::to_string(before) + "\n")), "pending");
  CHECK(journalled(rig, std::string(shred::kDoneEvent)) == 1);
  CHECK(journalled(rig, "shredded") == 1);
  CHECK_FALSE(os::exists(pending));
}

TEST_CASE("a header that a failing disk left without its name goes with its call") {
  Rig rig;
  const auto id = stereo(rig);
  const auto left = rig.folder() / "incoming" / (sealed::to_text({id, TrackName::caller, 1, sealed::FileState::fresh}));
  for (const auto& entry : std::filesystem::recursive_directory_iterator(rig.folder() / "recordings"))
    if (entry.is_regular_file())
      std::filesystem::copy_file(entry.path(), left, std::filesystem::copy_options::skip_existing);
  REQUIRE(os::exists(left));
  rig.erase({id});
  CHECK_FALSE(os::exists(left));
  CHECK(must(rig.vault().prove_gone(id), "prove").gone);
}

TEST_CASE("a header that was begun and never counted opens to nobody after an erasure") {
  Rig rig;
  const auto id = stereo(rig);
  rig.clock().now_ += std::chrono::hours(21);
  must(rig.vault().purge({}), "purge");  // the next intake key; no row names it
  const auto view = must(keys::RecorderView::open(rig.folder()), "view");
  Bytes failed;  // what the disk may have kept of it
  {
    const auto lease = must(view.acquire_intake(), "lease");
    sealed::CallMetadata metadata;
    metadata.started_at = rig.clock().now();
    metadata.caller = kIda;
    metadata.sample_rate = 8000;
    metadata.tracks = {TrackName::caller};
    const sealed::HeaderFields fields{
        .id = id, .track = TrackName::caller, .segment = 1, .intake_key = lease.key.id, .review_key = 1};
    const sealed::Recipients to{
        .intake = lease.key.public_key, .pepper = lease.key.pepper, .review = view.review().key};
    auto made = must(sealed::make_header(fields, to, metadata,
                                         {must(crypto::Key::random(), "key"), must(crypto::Key::random(), "key")}),
                     "header");
    failed = made.header.raw;
  }
  const auto openers = [&] {
    const auto header = must(sealed::parse_header(failed), "parse");
    std::size_t count = 0;
    inside(rig, [&](Session& session) {
      for (const auto& [number, key] : session.directory().intake)
        count += sealed::open_intake_box(header, key.secret, key.pepper).has_value() ? 1U : 0U;
    });
    return count;
  };
  CHECK(openers() == 1);
  rig.erase({id});
  CHECK(is_gone(rig, id));
  CHECK(openers() == 0);
}

TEST_CASE("a call that had trouble with the disk waits for every key that it may have used; another does not") {
  Rig rig;
  const auto smooth = stereo(rig);
  LiveCall call(rig, kJan, false);
  rig.settle();
  REQUIRE(call.speak_on_a_failing_disk());
  call.hang_up();
  rig.settle();
  rig.clock().now_ += std::chrono::hours(21);
  must(rig.vault().purge({}), "purge");
  const auto view = must(keys::RecorderView::open(rig.folder()), "view");
  std::optional<keys::IntakeLease> stalled(must(view.acquire_intake(), "lease"));
  shred::Options hurried;
  hurried.intake_patience = 50ms;
  inside(rig, [&](Session& session) {
    const auto report = shred_now(session, {{smooth}, {call.id()}}, hurried);
    CHECK(report.shredded == 1);
    CHECK(report.outstanding == std::vector<RecordingId>{call.id()});
  });
  stalled.reset();
  must(rig.vault().purge({}), "purge");
  CHECK(is_gone(rig, smooth));
  CHECK(is_gone(rig, call.id()));
  CHECK(outstanding(rig).empty());
}
