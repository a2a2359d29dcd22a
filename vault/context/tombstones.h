// Tombstones: what is left of a shredded recording. The journal is their truth, the catalogue finds them by id.
#pragma once

#include "context/context.h"

namespace callvault::context {

inline constexpr std::string_view kTombstoneEvent = "shredded";

Result<journal::Entry> encode_tombstone(const Log& log, const Tombstone& tombstone);
Result<Tombstone> decode_tombstone(std::uint64_t index, const journal::Entry& entry);

// Reads the journal from where the catalogue stopped.
Result<void> take_tombstones(const Context& context);

}  // namespace callvault::context
