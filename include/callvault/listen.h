// Many calls in one process: each connection to a socket is one.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

#include "callvault/options.h"
#include "callvault/reports.h"

namespace callvault {

inline constexpr std::size_t kMostCallsAtOnce = 4096;

struct ListenOptions {
  std::filesystem::path vault;
  std::filesystem::path socket;
  std::size_t most = 256;          // calls at once, at most kMostCallsAtOnce
  std::chrono::seconds idle{300};  // without audio for so long, a call is over
  // What a connection's first line asks for; `vault` and the input are filled in here.
  struct Request {
    IngestOptions options;
    bool tells_safe = false;  // how much is durable, each time it is more
  };
  std::function<Result<Request>(std::string_view line)> request;
  // The lines that answer it. Called by several threads at once.
  std::function<std::string(const RecordingId&)> started;
  std::function<std::string(std::chrono::milliseconds)> safe;
  std::function<std::string(const IngestSummary&)> sealed;
  std::function<std::string(const Error&)> failed;
  std::function<bool()> should_stop;  // polled ten times a second; true: every call is ended as by a hang-up
  std::function<void(const std::string& where)> on_ready;
};

// Records what comes until it is told to stop. A connection sends one line, then headerless audio at a rate that Opus
// has, until it sends no more. Those may connect who are of this account, of the vault's, root, or, where incoming/ is
// shared with a group, of that group. Needs what `ingest` needs, and no more.
// Errors: usage, no_vault, busy (another process listens there), refused, io.
Result<void> ingest_listen(const ListenOptions& options);

}  // namespace callvault
