// Into the middle of a vault at work: a shred that is cut short, a call that is still recorded, one locked session.
#pragma once

#include <functional>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "adversary/rig.h"
#include "capture/track_recorder.h"
#include "shred/shred.h"

namespace adversary {

using callvault::TrackName;

// One exclusive session beside the rig's own opening of the vault.
void inside(Rig& rig, const std::function<void(callvault::Session&)>& work,
            std::unique_ptr<callvault::keys::Keeper> keeper = nullptr);

struct Wish {
  RecordingId id;
  std::string reason = "erased";
  std::optional<TrackName> track = std::nullopt;
};
callvault::shred::Report shred_now(callvault::Session& session, const std::vector<Wish>& wishes,
                                   callvault::shred::Options options = {});

// The point of a rotation at which the process ends.
enum class Cut : std::uint8_t { before_stage, after_stage, before_wipe, after_wipe };
// Shreds in a child that is cut, and leaves it at that.
void die_in_shred(Rig& rig, const std::vector<Wish>& wishes, Cut cut);
// The same; the parent takes snapshots before and after it recovers.
void cut_shred(Rig& rig, const std::vector<Wish>& wishes, Cut cut);

using Asked = std::set<std::pair<RecordingId, std::optional<TrackName>>>;
// What was asked for and is not done yet.
Asked outstanding(Rig& rig);

bool is_gone(Rig& rig, const RecordingId& id);
// The tracks that the node lists; none when the recording is not registered.
std::set<TrackName> tracks_left(Rig& rig, const RecordingId& id);

// A call of one party (or two) whose recorder lives in this process.
class LiveCall {
 public:
  LiveCall(Rig& rig, const std::string& caller, bool two_parties);
  const RecordingId& id() const { return call_.id; }
  // Speaks while no file may grow: every track gives up its segment and tries the next. True when one could be begun.
  bool speak_on_a_failing_disk();
  void hang_up();

 private:
  callvault::keys::RecorderView view_;
  callvault::capture::Call call_;
  std::vector<callvault::capture::TrackRecorder> tracks_;
};

}  // namespace adversary
