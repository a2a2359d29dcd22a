// A meta file of a recorder nobody vouches for, JSON or XML: whatever comes, only the names of ingest's flags are
// taken.
#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <set>

#include "cli/meta_file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using callvault::cli::read_meta_file;
  const int fd = ::memfd_create("meta", MFD_CLOEXEC);
  if (fd < 0 || ::write(fd, data, size) != static_cast<ssize_t>(size)) std::abort();
  const auto values = read_meta_file("/proc/self/fd/" + std::to_string(fd), {{"direction", "in"}});
  ::close(fd);
  if (!values && values.error().code != callvault::Errc::usage) std::abort();
  if (!values) return 0;
  const std::set<std::string> known{"caller",         "called",         "agent",      "consent",      "notice",
                                    "notice_played",  "basis",          "call_id",    "class",        "direction",
                                    "consent_offset", "consent_method", "started_at", "agent_consent"};
  for (const auto& [name, value] : *values)
    if (!known.contains(name)) std::abort();
  return 0;
}
