#include "context/context.h"

namespace callvault::context {

os::Path recording_folder(const base::Layout& layout, std::int32_t day) {
  return layout.recordings() / base::day_text(day);
}

Result<os::Path> find_sealed_file(const base::Layout& layout, std::int32_t day, const RecordingId& id, TrackName track,
                                  std::uint16_t segment) {
  const std::string name = base::sealed_file_name(id, track, segment);
  for (const os::Path& path :
       {recording_folder(layout, day) / name, layout.incoming() / name, layout.incoming() / (name + ".part")})
    if (os::exists(path)) return path;
  return fail(Errc::not_found, "the sealed file " + name + " is missing");
}

}  // namespace callvault::context
