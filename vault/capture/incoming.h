// What lies in incoming/, by recording.
#pragma once

#include <map>
#include <vector>

#include "base/layout.h"
#include "os/file.h"
#include "sealed/names.h"

namespace callvault::capture {

struct IncomingFile {
  sealed::FileName name;
  os::Path path;
  bool alive = false;  // a recorder holds it
  os::File lock;       // of a dead recorder's file: ours now, so that nobody else recovers it
};

struct IncomingCall {
  RecordingId id;
  std::vector<IncomingFile> files;
  bool stop_requested = false;
  bool alive() const;
};

// Sorted by id. Every file that is there when this begins is seen, under one name, also when its recorder ends
// meanwhile. Files with other names are passed over; headers that never became
// a recording (.new, a minute old) are removed, and control files whose call has left.
Result<std::vector<IncomingCall>> list_incoming(const base::Layout& layout);
// One call alone; without files when there is none of that id.
Result<IncomingCall> look_at_incoming(const base::Layout& layout, const RecordingId& id);

}  // namespace callvault::capture
