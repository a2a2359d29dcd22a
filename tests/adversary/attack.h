// The adversary: every byte the vault ever wrote, some keeper bytes, perhaps the review key; tries everything against
// everything until nothing new comes out.
#pragma once

#include <map>
#include <set>

#include "adversary/rig.h"
#include "crypto/secret.h"

namespace adversary {

struct Loot {
  std::set<RecordingId> secrets;                                  // s_0 found: metadata, rows, notes
  std::set<RecordingId> metadata;                                 // a caller's number was read
  std::set<std::pair<RecordingId, callvault::TrackName>> tracks;  // audio was opened
  std::size_t directories = 0, nodes = 0;
  // By bucket and value: how many different index tokens of that value lie in any version of the catalogue.
  std::map<std::string, std::size_t> tokens;
};

// `keepers`: contents of the keeper's file. `review`: the private half, or null. `callers`: numbers to look for.
Loot attack(const std::vector<Blob>& blobs, const std::vector<Bytes>& keepers, const callvault::crypto::Key* review,
            const std::vector<std::string>& callers);

// Blobs in which one of these texts stands in the clear.
std::vector<std::string> plain_hits(const std::vector<Blob>& blobs, const std::vector<std::string>& texts);

}  // namespace adversary
