// Whether a sealed file is the one its node knows.
#pragma once

#include "keys/node.h"
#include "sealed/reader.h"

namespace callvault::context {

enum class Depth : std::uint8_t {
  ends,        // header and trailer
  every_byte,  // all of the sealed audio, too
};

// REQUIRES: `reader` is over the file of that track. Of a call in progress only the header can be told.
// Errors: corrupt, not_found (it has no trailer), io.
Result<void> check_sealed(sealed::Reader& reader, const keys::NodeRow& row, const keys::TrackSecret& track,
                          Depth depth);
Result<void> check_sealed(const os::Path& path, const keys::NodeRow& row, const keys::TrackSecret& track, Depth depth);

}  // namespace callvault::context
