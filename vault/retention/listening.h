// What a person may open a recording for: the second half of the gate, behind may_open. Pure: no clock, no I/O.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "callvault/call_record.h"

namespace callvault::retention {

struct ListenRequest {
  Time now{};
  Purpose purpose = Purpose::service_quality;
  bool listener = false;                                // has a role that opens recordings
  std::set<Purpose> allowed{};                          // what those roles may open for
  std::optional<Time> evaluation_until = std::nullopt;  // the end of this recording's window; none: no window
};

struct Denial {
  std::string_view code;  // a stable word, in the journal
  std::string message;
};

// Nothing when it may be opened. The first line that applies:
//
//   1 no role that opens recordings                                 role
//   2 the purpose is none of the roles'                             purpose
//   3 purpose evaluation, and the recording's window is over        window (from that very instant)
std::optional<Denial> deny_listening(const ListenRequest& request);

}  // namespace callvault::retention
