// Step 0 of a shred: no recorder may go on with a victim, and no intake key may stay that opens one of its headers.
#pragma once

#include <map>
#include <set>
#include <vector>

#include "shred/shred.h"
#include "shred/targets.h"

namespace callvault::shred {

class Retirement {
 public:
  // Asks the recorders of victims to end, publishes the next intake key if one has to go, waits for the old ones'
  // recorders, settles every header. What could not be had in time stays: see `blocks`. Does nothing durable when no
  // key has to go.
  static Result<Retirement> run(context::Context& context, const std::vector<Target>& targets, const Options& options);

  // Keys that leave the directory with the coming rotation. Their files are locked until this object goes.
  const std::vector<std::uint32_t>& retired() const { return retired_; }
  // Whether a key that stays can open one of the recording's headers, or one that was begun for it and never counted.
  bool blocks(const keys::Directory& directory, const keys::NodeRow& row) const;

 private:
  Retirement() = default;

  std::vector<std::uint32_t> retired_;
  std::vector<os::File> locks_;
  std::map<RecordingId, std::set<std::uint32_t>> unsettled_;  // keys that victims' headers in incoming/ name
  // A segment whose header could not be written leaves no name of its key, but maybe its bytes: in a backup, or on the
  // disk. They are the call's secret, sealed to that key, and who was in it. Of victims that were asked for:
  std::set<RecordingId> asked_, live_;
  std::set<std::uint32_t> any_;  // the keys that such a header may be sealed to
};

}  // namespace callvault::shred
