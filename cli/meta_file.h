// A call's metadata from a file, so that numbers stay out of the process list.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "callvault/result.h"

namespace callvault::cli {

// A JSON object of at most 64 KiB with the names of ingest's flags: caller, called, agent, consent, notice,
// notice_played (true, false or "yes", "no"), basis, call_id, started_at, class, direction ...; the values are strings.
// Or SIPREC metadata, at most 256 KiB of XML (cli/siprec.h). Anything else is Errc::usage; messages never quote a
// value. Unreadable: Errc::io. `given`: what the flags gave, by the same names.
using GivenMeta = std::map<std::string, std::optional<std::string>>;
Result<std::map<std::string, std::string>> read_meta_file(const std::filesystem::path& path, const GivenMeta& given);

// The first line of a connection to 'ingest --listen': the same JSON object, with format, rate, channels, bitrate and
// complexity besides, whose values may be numbers, and tell_safe (true or false).
struct CallLine {
  std::map<std::string, std::string> values;
  bool tells_safe = false;
};
Result<CallLine> parse_call_line(std::string_view line);

}  // namespace callvault::cli
