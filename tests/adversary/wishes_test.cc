// What is asked of a shred and what is in its way: other buckets, keys that somebody holds, files that cannot be read,
// a keeper that lies, and the intent that tells the next process.
#include <doctest/doctest.h>

#include <fstream>

#include "adversary/inside.h"
#include "keys/file_keeper.h"
#include "retention/plan.h"
#include "sealed/names.h"
#include "shred/intent.h"
#include "shred/targets.h"

using namespace callvault;
using namespace adversary;
using namespace std::chrono_literals;

namespace {

const std::string kPeriodOver(retention::kPeriodOver), kPendingTooLong(retention::kPendingTooLong);

RecordingId settled(Rig& rig, bool stereo = true) {
  const auto id = rig.record(Call{.caller = "+40722000001", .agent = "ana", .call_id = "", .stereo = stereo});
  rig.settle();
  return id;
}

std::uint32_t bucket_of(Session& session, const RecordingId& id) {
  return must(locate_stored(session.context(), id), "locate").bucket;
}

os::Path in_incoming(Rig& rig, const RecordingId& id, TrackName track, std::uint16_t segment, sealed::FileState state) {
  return rig.folder() / "incoming" / sealed::to_text({id, track, segment, state});
}

// Some sealed file under that name.
void leave(Rig& rig, const os::Path& path) {
  for (const auto& entry : std::filesystem::recursive_directory_iterator(rig.folder() / "recordings"))
    if (entry.is_regular_file())
      std::filesystem::copy_file(entry.path(), path, std::filesystem::copy_options::skip_existing);
  REQUIRE(os::exists(path));
}

// Settles nothing: what is in incoming/ stays what it is.
shred::Options as_it_is(std::chrono::milliseconds patience = 5000ms) {
  shred::Options options;
  options.intake_patience = patience;
  options.settle_everything = []() -> Result<std::vector<std::uint32_t>> { return std::vector<std::uint32_t>{}; };
  return options;
}

// Says that it wiped.
class LyingKeeper final : public keys::Keeper {
 public:
  explicit LyingKeeper(std::unique_ptr<keys::Keeper> real) : real_(std::move(real)) {}
  Result<std::vector<keys::KeeperSlot>> read() override { return real_->read(); }
  Result<keys::KeeperSlot> stage(std::uint64_t epoch, std::optional<std::uint64_t> current) override {
    return real_->stage(epoch, current);
  }
  Result<void> wipe_all_but(std::uint64_t) override { return {}; }
  Result<void> wipe_all() override { return {}; }
  Result<bool> unfinished() override { return real_->unfinished(); }
  keys::KeeperDescription describe() const override { return real_->describe(); }

 private:
  std::unique_ptr<keys::Keeper> real_;
};

}  // namespace

TEST_CASE("victims of several buckets go in one rotation, and their removal is told one by one") {
  Rig rig;
  const auto today = settled(rig), also = settled(rig), stays = settled(rig);
  rig.clock().now_ += 25h;
  const auto tomorrow = settled(rig);
  std::vector<std::pair<std::uint64_t, std::uint64_t>> told;
  inside(rig, [&](Session& session) {
    CHECK(bucket_of(session, today) == bucket_of(session, also));
    CHECK(bucket_of(session, today) != bucket_of(session, tomorrow));
    const auto before = session.directory().epoch;
    auto options = as_it_is();
    options.progress = [&](std::uint64_t done, std::uint64_t all) { told.emplace_back(done, all); };
    const auto report = shred_now(session, {{today}, {also}, {tomorrow}}, options);
    CHECK(report.shredded == 3);
    CHECK(report.epoch == before + 1);
    CHECK(report.buckets_rewritten == 1);
    CHECK(report.buckets_dropped == 1);
  });
  CHECK(told == std::vector<std::pair<std::uint64_t, std::uint64_t>>{{1, 3}, {2, 3}, {3, 3}});
  CHECK(is_gone(rig, today));
  CHECK(is_gone(rig, tomorrow));
  CHECK(tracks_left(rig, stays).size() == 2);
}

TEST_CASE("who is not there, and a voice that a recording does not have, are no reason for a rotation") {
  Rig rig;
  const auto mixed = settled(rig, false), other = settled(rig);
  inside(rig, [&](Session& session) {
    const auto before = session.directory().epoch;
    std::array<std::byte, RecordingId::kBytes> bytes{};
    const auto report = must(shred::run(session.context(),
                                        {{RecordingId(bytes), bucket_of(session, mixed), "erased", std::nullopt},
                                         {mixed, bucket_of(session, mixed), kPeriodOver, TrackName::agent}},
                                        as_it_is()),
                             "shred");
    CHECK(report.shredded == 0);
    CHECK(report.buckets_rewritten == 0);
    CHECK(report.outstanding.empty());
    CHECK(session.directory().buckets.size() == 1);
    CHECK(session.directory().epoch <= before + 1);
  });
  CHECK(tracks_left(rig, mixed) == std::set{TrackName::mixed});
  CHECK(tracks_left(rig, other).size() == 2);
}

TEST_CASE("what lies in incoming goes with the voice that goes, and nothing else does") {
  Rig rig;
  const auto id = settled(rig), whole = settled(rig);
  const auto name = [&](const RecordingId& of, TrackName track, std::uint16_t n, sealed::FileState state) {
    return in_incoming(rig, of, track, n, state);
  };
  using sealed::FileState;
  const std::vector stays{
      name(id, TrackName::caller, 1, FileState::finished), name(id, TrackName::agent, 2, FileState::fresh),
      name(id, TrackName::agent, 3, FileState::part), name(whole, TrackName::agent, 3, FileState::part)};
  const std::vector goes{name(id, TrackName::agent, 1, FileState::finished),
                         name(whole, TrackName::agent, 1, FileState::finished),
                         name(whole, TrackName::caller, 2, FileState::fresh)};
  for (const auto& path : stays) leave(rig, path);
  for (const auto& path : goes) leave(rig, path);
  inside(rig, [&](Session& session) {
    CHECK(shred_now(session, {{id, "consent_withdrawn", TrackName::agent}, {whole}}, as_it_is()).shredded == 2);
  });
  for (const auto& path : stays) CHECK_MESSAGE(os::exists(path), path.string());
  for (const auto& path : goes) CHECK_MESSAGE(!os::exists(path), path.string());
  // One that is still written was asked to end.
  CHECK(os::exists(rig.folder() / "incoming" / sealed::stop_file_name(whole)));
  CHECK_FALSE(os::exists(rig.folder() / "incoming" / sealed::stop_file_name(id)));
}

TEST_CASE("what once told a recorder to pause or to end goes with its recording") {
  Rig rig;
  const auto id = settled(rig);
  for (const auto& control : sealed::control_file_names(id))
    must(os::write_new_file(rig.folder() / "incoming" / control, {}), "control");
  inside(rig, [&](Session& session) { CHECK(shred_now(session, {{id}}, as_it_is()).shredded == 1); });
  for (const auto& control : sealed::control_file_names(id))
    CHECK_FALSE(os::exists(rig.folder() / "incoming" / control));
}

TEST_CASE("a header that cannot be read any more may name any key, and all are retired") {
  Rig rig;
  const auto id = settled(rig);
  must(os::write_new_file(in_incoming(rig, id, TrackName::caller, 1, sealed::FileState::part), {}), "part");
  std::uint32_t named = 0;
  inside(rig, [&](Session& session) {
    named = must(session.state().add_intake(session.context().now), "key");  // which nobody's row names
    must(session.state().commit(), "commit");
    must(session.state().publish_intake(named), "publish");
    CHECK(shred_now(session, {{id}}, as_it_is()).intake_retired == 2);
    CHECK_FALSE(session.directory().intake.contains(named));
    CHECK(session.directory().intake.size() == 1);
  });
}

TEST_CASE(
    "a key that was never published is held by nobody; one that cannot be opened stops the shred before it begins") {
  Rig rig;
  const auto id = settled(rig);
  const auto key = rig.folder() / "keys" / "intake" / "1";
  inside(rig, [&](Session& session) {
    std::filesystem::remove(key);
    std::filesystem::create_symlink("1", key);  // leads in a circle
    auto& context = session.context();
    const auto stopped = shred::run(context, {{id, bucket_of(session, id), "erased", std::nullopt}}, as_it_is());
    REQUIRE_FALSE(stopped.has_value());
    CHECK(stopped.error().code == Errc::io);
    CHECK(must(locate_stored(context, id), "locate").row.tracks.size() == 2);
    std::filesystem::remove(key);
    CHECK(shred_now(session, {{id}}, as_it_is(0ms)).shredded == 1);
  });
  CHECK(is_gone(rig, id));
}

TEST_CASE("a segment whose key its recorder still holds puts its call off, though no row names the key") {
  Rig rig;
  LiveCall live(rig, "+40722000002", false);
  inside(rig, [&](Session& session) {
    must(capture::settle(session.context(), capture::SettleMode::everything), "settle");
    shred::Options nightly;
    nightly.retire_all_intake = true;
    shred_now(session, {}, nightly);
  });
  CHECK(live.speak_on_a_failing_disk());  // a segment sealed to the next key
  std::optional<keys::IntakeLease> held(
      must(must(keys::RecorderView::open(rig.folder()), "view").acquire_intake(), "lease"));
  inside(rig, [&](Session& session) {
    const auto report = shred_now(session, {{live.id()}}, as_it_is(50ms));
    CHECK(report.shredded == 0);
    CHECK(report.outstanding == std::vector{live.id()});
  });
  CHECK(outstanding(rig) == Asked{{live.id(), std::nullopt}});
  held.reset();
  live.hang_up();
  must(rig.vault().purge({}), "purge");
  CHECK(is_gone(rig, live.id()));
  CHECK(outstanding(rig).empty());
}

TEST_CASE("a call that goes on in a vault without intake keys can be shredded") {
  Rig rig;
  LiveCall live(rig, "+40722000002", false);
  inside(rig, [&](Session& session) {
    must(capture::settle(session.context(), capture::SettleMode::everything), "settle");
    session.state().edit().intake.clear();
    must(session.state().commit(), "commit");
    CHECK(shred_now(session, {{live.id()}}, as_it_is()).shredded == 1);
  });
  live.hang_up();
  CHECK(is_gone(rig, live.id()));
}

TEST_CASE("what the plan wants gone is put off with what was asked for, each once") {
  Rig rig;
  std::vector<RecordingId> ids{settled(rig), settled(rig), settled(rig)};
  std::sort(ids.begin(), ids.end());
  const auto view = must(keys::RecorderView::open(rig.folder()), "view");
  std::optional<keys::IntakeLease> held(must(view.acquire_intake(), "lease"));
  inside(rig, [&](Session& session) {
    const std::vector<Wish> wishes{{ids[0], kPeriodOver}, {ids[1], "erased"}, {ids[2], kPendingTooLong}};
    for (int night = 0; night < 2; ++night) {
      CHECK(shred_now(session, wishes, as_it_is(20ms)).outstanding == ids);
      CHECK(session.directory().outstanding.size() == 3);
    }
  });
  CHECK(outstanding(rig) == Asked{{ids[0], std::nullopt}, {ids[1], std::nullopt}, {ids[2], std::nullopt}});
  CHECK(shred::was_asked_for("erased"));
  CHECK_FALSE(shred::was_asked_for(kPeriodOver));
  CHECK_FALSE(shred::was_asked_for(kPendingTooLong));
}

TEST_CASE("wishes are kept once, and only new ones cost a new directory") {
  Rig rig;
  const auto first = settled(rig), second = settled(rig);
  inside(rig, [&](Session& session) {
    auto& context = session.context();
    const auto directory = [&] { return must(os::read_file(context.layout.directory(), 1 << 20), "directory"); };
    const auto wish = [&](const RecordingId& id) {
      return shred::Victim{id, bucket_of(session, id), "erased", std::nullopt};
    };
    const auto low = std::min(first, second), high = std::max(first, second);
    must(shred::keep_outstanding(context, {wish(high)}), "keep");
    must(shred::keep_outstanding(context, {wish(low), wish(high)}), "keep");  // the last one is known
    CHECK(session.directory().outstanding.size() == 2);
    const auto before = directory();
    must(shred::keep_outstanding(context, {wish(low), wish(high)}), "keep");
    CHECK(directory() == before);
    must(shred::keep_outstanding(context, {}, true), "keep");
    CHECK(directory() != before);
  });
  CHECK(outstanding(rig) == Asked{{first, std::nullopt}, {second, std::nullopt}});
}

TEST_CASE("a keeper that only says that it wiped leaves the shred pending") {
  Rig rig;
  const auto id = settled(rig), stays = settled(rig);
  auto real = must(keys::FileKeeper::open(rig.keeper_file().parent_path()), "keeper");
  inside(
      rig,
      [&](Session& session) {
        const auto done =
            shred::run(session.context(), {{id, bucket_of(session, id), "erased", std::nullopt}}, as_it_is());
        REQUIRE_FALSE(done.has_value());
        CHECK(done.error().code == Errc::unexpected);
        CHECK(done.error().message.find("stays pending") != std::string::npos);
        CHECK(shred::is_pending(session.context().layout));
      },
      std::make_unique<LyingKeeper>(std::move(real)));
  // The next process wipes, and finishes it.
  rig.reopen();
  must(rig.vault().recover(), "recover");
  CHECK(is_gone(rig, id));
  CHECK(tracks_left(rig, stays).size() == 2);
  CHECK_FALSE(os::exists(rig.folder() / "keys" / "pending"));
}

TEST_CASE("a shred of the plan that was cut before its commit is forgotten, and the next purge plans anew") {
  Rig rig;
  const auto planned = settled(rig), asked = settled(rig);
  cut_shred(rig, {{planned, kPeriodOver}, {asked, "erased"}}, Cut::after_stage);
  CHECK(outstanding(rig) == Asked{{asked, std::nullopt}});
  CHECK(tracks_left(rig, planned).size() == 2);
  CHECK(tracks_left(rig, asked).size() == 2);
}

TEST_CASE("a shred that ended between its mark and its intent is undone; a mark that is damaged stops everything") {
  Rig rig;
  const auto id = settled(rig);
  inside(rig, [&](Session& session) {
    auto& context = session.context();
    const auto size = must(context.log.journal().head(), "head").size;
    must(os::write_new_file(shred::pending_path(context.layout), base::as_bytes(std::to_string(size) + "\n")),
         "pending");
    const auto finished = must(shred::finish_pending(context), "finish");
    CHECK(finished.undone == 1);
    CHECK(finished.recordings == 0);
    CHECK_FALSE(shred::is_pending(context.layout));
    must(os::write_new_file(shred::pending_path(context.layout), base::as_bytes(std::string_view("soon\n"))),
         "pending");
    const auto damaged = shred::finish_pending(context);
    REQUIRE_FALSE(damaged.has_value());
    CHECK(damaged.error().code == Errc::corrupt);
    must(os::remove_file(shred::pending_path(context.layout)), "remove");
  });
  CHECK(tracks_left(rig, id).size() == 2);
}

TEST_CASE("an intent of many recordings, or of many files, takes several entries and reads back whole") {
  Rig rig;
  inside(rig, [&](Session& session) {
    auto& context = session.context();
    std::vector<shred::Doomed> doomed;
    for (std::uint32_t i = 0; i < 9000; ++i) {
      std::array<std::byte, RecordingId::kBytes> bytes{};
      base::FieldWriter(bytes).number(i);
      doomed.push_back({RecordingId(bytes), 1, 20780, 1, "x", true, {}});
    }
    const auto entries_of = [&](const std::vector<shred::Doomed>& list) {
      const auto before = must(context.log.journal().head(), "head").size;
      must(shred::write_intent(context, list, session.directory().epoch + 1), "intent");
      const auto back = must(shred::read_pending(context), "pending");
      REQUIRE(back.doomed.size() == list.size());
      CHECK(back.next_epoch == session.directory().epoch + 1);
      for (std::size_t i = 0; i < list.size(); ++i) CHECK(back.doomed[i].id == list[i].id);
      CHECK(back.doomed.back().tracks == list.back().tracks);
      return must(context.log.journal().head(), "head").size - before;
    };
    CHECK(entries_of(doomed) == 2);  // by their number
    doomed.resize(3000);
    for (auto& one : doomed)
      for (std::uint16_t n = 0; n < 25; ++n) one.tracks.emplace_back(TrackName::caller, n);
    CHECK(entries_of(doomed) == 2);  // by their length
    must(shred::clear_pending(context.layout), "clear");
  });
}
