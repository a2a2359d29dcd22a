// Settling: recordings that lie in incoming/ become part of the vault. Their secrets go from their headers into a
// bucket's node, their rows into the catalogue, their files to recordings/<day>/.
//
// Order: new nodes, journal, directory (the commit), catalogue, files moved. A crash before the commit leaves
// everything in incoming/ as it was; after it, the next settling finds the recording registered and only moves it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "context/context.h"

namespace callvault::capture {

enum class SettleMode : std::uint8_t {
  finished,    // what has ended; dead recorders' files are made whole first
  everything,  // calls in progress too: their intake key is about to go
};

struct SettleReport {
  std::uint64_t settled = 0;
  std::uint64_t interrupted = 0;  // made whole after their recorder died
  std::uint64_t folded = 0;       // repeated call ids with the same audio
  std::uint64_t in_progress = 0;
  std::vector<std::string> problems;         // files that cannot be settled, left where they are
  std::vector<RecordingId> objected;         // settled as refused: their number had opted out before they began
  std::vector<std::uint32_t> failed_intake;  // intake keys that some unreadable file may still need
};

// REQUIRES: the state lock is held exclusively.
Result<SettleReport> settle(context::Context& context, SettleMode mode);

// Finished calls that settling would have to leave where they are, each with what is wrong. Changes nothing.
Result<std::vector<std::string>> find_unreadable(const context::Context& context);

struct Unsettled {
  std::uint64_t waiting = 0;      // finished or abandoned
  std::uint64_t in_progress = 0;  // their recorder is alive
};
// Looks, changes nothing, needs no lock.
Result<Unsettled> count_unsettled(const base::Layout& layout);

}  // namespace callvault::capture
