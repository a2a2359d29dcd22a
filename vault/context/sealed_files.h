// Whether sealed files are the ones their nodes know.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "context/context.h"
#include "sealed/reader.h"

namespace callvault::context {

enum class Depth : std::uint8_t {
  ends,        // header and trailer
  every_byte,  // all of the sealed audio, too
};

// Of a call in progress only the header can be told.
// Errors: corrupt, not_found (there is no file, or no trailer in it), newer_version, io.
Result<void> check_sealed(const os::Path& path, const keys::NodeRow& row, const keys::TrackSecret& track, Depth depth);

struct CheckedFile {
  std::size_t row = 0, track = 0;       // which of those given
  std::optional<std::uint64_t> chunks;  // of audio in it; none when it could not be opened
  std::optional<Error> problem;         // as of check_sealed
};

// Every file of these recordings of one bucket, in the order given. Several are read at once: hashing one takes longer
// than a disk needs to read it.
std::vector<CheckedFile> check_sealed_files(const base::Layout& layout, const keys::Bucket& bucket,
                                            std::span<const keys::NodeRow> rows, Depth depth);

}  // namespace callvault::context
