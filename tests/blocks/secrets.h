// Every secret that a vault in use ever held, gathered from the inside while it still is there.
#pragma once

#include "adversary/rig.h"
#include "blocks/needles.h"

namespace blocks {

class Secrets {
 public:
  // Texts that may stand nowhere: numbers, names, references, the passphrase.
  explicit Secrets(const std::vector<std::string>& texts);

  // All that key state and keeper hold now, what waits in incoming/, and the officer's own keys.
  void gather(adversary::Rig& rig);
  void gather_roots(adversary::Rig& rig);  // the keeper's only
  // The sound that went in last, what a reviewer hears of the recording, and its Opus packets.
  void gather_audio(adversary::Rig& rig, const callvault::RecordingId& id);

  // What is never on the device in the clear, living or not.
  const Needles& never() const { return never_; }
  // The key blocks of every root the keeper ever held but those it holds now; and of those.
  Needles old_roots() const;
  Needles present_roots() const;
  std::size_t roots_seen() const { return roots_.size(); }

 private:
  void gather_files(const std::filesystem::path& folder, const callvault::keys::Directory& directory,
                    const callvault::crypto::Key& review);

  Needles never_;
  // Each root's 16 KiB of key blocks, by the root.
  std::map<Bytes, Bytes> roots_;
  std::set<Bytes> present_;
  std::map<std::pair<callvault::RecordingId, callvault::TrackName>, std::set<Bytes>> track_secrets_;
};

}  // namespace blocks
