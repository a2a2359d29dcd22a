// How sealed files are called.
//   incoming/<id>.<track>[.<segment>].new   a header on its way to disk; without a lock on it: waste, remove
//   incoming/<id>.<track>[.<segment>].part  a recording in progress; its recorder holds an exclusive flock on it
//   incoming/<id>.<track>[.<segment>]       finished, not yet settled; the same name below recordings/<day>/
//   incoming/<id>.stop                      asks the recorder to end the call
//   incoming/<id>.pause                     asks the recorder to take silence for what is said, until it is gone
//   incoming/<id>.paused                    the recorder's: it does so
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "callvault/call_record.h"

namespace callvault::sealed {

enum class FileState : std::uint8_t { fresh, part, finished };

struct FileName {
  RecordingId id;
  TrackName track = TrackName::mixed;
  std::uint16_t segment = 0;
  FileState state = FileState::finished;
  bool operator==(const FileName&) const = default;
};

std::string to_text(const FileName& name);
// Nothing when it is not such a name.
std::optional<FileName> parse_file_name(std::string_view text);
std::string stop_file_name(const RecordingId& id);
std::string pause_file_name(const RecordingId& id);
std::string paused_file_name(const RecordingId& id);
// All of these; they end with the call.
std::array<std::string, 3> control_file_names(const RecordingId& id);
// Whose control file it is; nothing when it is none.
std::optional<RecordingId> parse_control_file_name(std::string_view text);

}  // namespace callvault::sealed
