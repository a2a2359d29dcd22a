#include "adversary/inside.h"

#include <doctest/doctest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <csignal>

#include "crypto/random.h"
#include "keys/file_keeper.h"

namespace adversary {
namespace {

using namespace callvault;

// A keeper that ends the process at a chosen point of a rotation.
class DyingKeeper final : public keys::Keeper {
 public:
  DyingKeeper(std::unique_ptr<keys::Keeper> real, Cut cut) : real_(std::move(real)), cut_(cut) {}
  Result<std::vector<keys::KeeperSlot>> read() override { return real_->read(); }
  Result<keys::KeeperSlot> stage(std::uint64_t epoch, std::optional<std::uint64_t> current) override {
    die(Cut::before_stage);
    auto slot = real_->stage(epoch, current);
    die(Cut::after_stage);
    staged_ = true;
    return slot;
  }
  Result<void> wipe_all_but(std::uint64_t epoch) override {
    if (staged_) die(Cut::before_wipe);
    auto done = real_->wipe_all_but(epoch);
    if (staged_) die(Cut::after_wipe);
    return done;
  }
  Result<void> wipe_all() override { return real_->wipe_all(); }
  Result<bool> unfinished() override { return real_->unfinished(); }
  keys::KeeperDescription describe() const override { return real_->describe(); }

 private:
  void die(Cut cut) const {
    if (cut == cut_) std::_Exit(9);
  }
  std::unique_ptr<keys::Keeper> real_;
  Cut cut_;
  bool staged_ = false;
};

std::unique_ptr<keys::Keeper> keeper_of(const Rig& rig) {
  return must(keys::FileKeeper::open(rig.keeper_file().parent_path()), "keeper");
}

// No file may grow while this lives.
class NoGrowth {
 public:
  NoGrowth() : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    struct rlimit now = before_;
    now.rlim_cur = 4000;  // room for a header
    ::setrlimit(RLIMIT_FSIZE, &now);
  }
  NoGrowth(const NoGrowth&) = delete;
  NoGrowth& operator=(const NoGrowth&) = delete;
  ~NoGrowth() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }

 private:
  struct rlimit before_ {};
  void (*handler_)(int);
};

std::vector<std::int16_t> speech(std::size_t count) {
  std::vector<std::int16_t> out(count);
  for (std::size_t i = 0; i < count; ++i)
    out[i] = static_cast<std::int16_t>(8000 * std::sin(0.3 * static_cast<double>(i)));
  return out;
}

capture::Call make_call(const keys::RecorderView& view, Rig& rig, const std::string& caller, bool two_parties) {
  std::array<std::byte, RecordingId::kBytes> bytes{};
  crypto::fill_random(bytes);
  sealed::CallMetadata metadata;
  metadata.started_at = rig.clock().now();
  metadata.caller = caller;
  metadata.consent = Consent::granted;
  metadata.sample_rate = 8000;
  metadata.tracks = two_parties ? std::vector{TrackName::caller, TrackName::agent} : std::vector{TrackName::mixed};
  EncoderOptions encoder;
  encoder.complexity = 0;
  return {view, RecordingId(bytes), std::move(metadata), must(crypto::Key::random(), "key"), encoder, true};
}

}  // namespace

void inside(Rig& rig, const std::function<void(Session&)>& work, std::unique_ptr<keys::Keeper> keeper) {
  auto impl = rig.parts(keeper ? std::move(keeper) : keeper_of(rig));
  auto session = must(Session::begin(impl, Access::change, "officer"), "session");
  work(*session);
}

shred::Report shred_now(Session& session, const std::vector<Wish>& wishes, shred::Options options) {
  auto& context = session.context();
  if (!options.settle_everything)
    options.settle_everything = [&]() -> Result<std::vector<std::uint32_t>> {
      CALLVAULT_TRY_ASSIGN(auto report, capture::settle(context, capture::SettleMode::everything));
      return std::move(report.failed_intake);
    };
  std::vector<shred::Victim> victims;
  for (const auto& wish : wishes) {
    const auto found = must(locate_stored(context, wish.id), "locate");
    victims.push_back({wish.id, found.bucket, wish.reason, wish.track});
  }
  return must(shred::run(context, std::move(victims), options), "shred");
}

void die_in_shred(Rig& rig, const std::vector<Wish>& wishes, Cut cut) {
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    inside(
        rig, [&](Session& session) { shred_now(session, wishes); }, std::make_unique<DyingKeeper>(keeper_of(rig), cut));
    std::_Exit(0);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  REQUIRE(WIFEXITED(status));
  REQUIRE(WEXITSTATUS(status) == 9);
}

void cut_shred(Rig& rig, const std::vector<Wish>& wishes, Cut cut) {
  die_in_shred(rig, wishes, cut);
  rig.snapshot();
  rig.reopen();
  must(rig.vault().recover(), "recover");
  rig.snapshot();
}

Asked outstanding(Rig& rig) {
  Asked out;
  inside(rig, [&](Session& session) {
    for (const auto& o : session.directory().outstanding) out.insert({o.id, o.track});
  });
  return out;
}

bool is_gone(Rig& rig, const RecordingId& id) {
  const auto shown = rig.vault().show(rig.officer(), id);
  return !shown && shown.error().code == Errc::gone;
}

std::set<TrackName> tracks_left(Rig& rig, const RecordingId& id) {
  std::set<TrackName> out;
  inside(rig, [&](Session& session) {
    const auto found = locate_stored(session.context(), id);
    if (!found) return;
    for (const auto& t : found->row.tracks) out.insert(t.name);
  });
  return out;
}

LiveCall::LiveCall(Rig& rig, const std::string& caller, bool two_parties)
    : view_(must(keys::RecorderView::open(rig.folder()), "recorder's view")),
      call_(make_call(view_, rig, caller, two_parties)) {
  const auto lease = must(view_.acquire_intake(), "intake key");
  const auto said = speech(8000 * 3);
  for (const TrackName name : call_.metadata.tracks) {
    tracks_.push_back(must(capture::TrackRecorder::start(call_, name, lease), "track"));
    must(tracks_.back().add(said), "audio");
    tracks_.back().tick(std::chrono::steady_clock::now() + std::chrono::seconds(2));
  }
}

bool LiveCall::speak_on_a_failing_disk() {
  const auto files = [&] { return must(os::list_folder(view_.layout().incoming()), "list").size(); };
  const auto before = files();
  const auto said = speech(8000 * 4);
  {
    const NoGrowth limit;
    for (auto& track : tracks_) must(track.add(said), "audio");
  }
  for (auto& track : tracks_) track.tick(std::chrono::steady_clock::now() + std::chrono::minutes(1));
  return files() > before;
}

void LiveCall::hang_up() { tracks_.clear(); }

}  // namespace adversary
