// The front of the service: takes connections, counts them, and gives each to a process of its own. It reads nothing
// that a client says and holds no secret; what the processes hold dies with them.
#pragma once

#include <chrono>
#include <functional>
#include <optional>

#include "keys/service_policy.h"
#include "os/child.h"
#include "os/local_socket.h"
#include "service/tally.h"

namespace callvault::service {

// A connection's process asks the front, which alone sees all of them.
class Counter {
 public:
  explicit Counter(int channel) : channel_(channel) {}
  // Another `what` of `who` in this minute. Errors: busy when the front cannot be asked.
  Result<Verdict> count(const std::string& what, const std::string& who, std::uint32_t limit) const;

 private:
  int channel_;
};

struct Visit {
  os::LocalSocket socket;
  os::Peer peer;
  Counter counter;
  bool over_limit = false;  // to be refused, and the refusal journalled
};

struct FrontOptions {
  keys::ServicePolicy policy;
  std::optional<std::chrono::seconds> idle_exit;
  std::function<bool()> should_stop;         // polled every second at least
  std::function<void(Visit& visit)> attend;  // in the connection's own process
};

// Ends when told to or idle for long enough, once every connection's process has ended or been given up. A lack of
// descriptors or memory ends it not: whoever knocks then is not heard, or told to try again.
void run_front(os::LocalListener listener, const FrontOptions& options);

}  // namespace callvault::service
