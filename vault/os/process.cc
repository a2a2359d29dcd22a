#include "os/process.h"

#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <string>

namespace callvault::os {

Result<void> forbid_dumps() {
  ::umask(077);
  const rlimit none{0, 0};
  if (::setrlimit(RLIMIT_CORE, &none) != 0) return fail(Errc::unexpected, "cannot forbid core dumps");
  if (::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) return fail(Errc::unexpected, "cannot forbid tracing");
  return {};
}

Result<void> allow_open_files(std::size_t count) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return fail(Errc::unexpected, "cannot tell how many files may be open");
  if (limit.rlim_cur >= count) return {};
  if (limit.rlim_max < count)
    return fail(Errc::usage, "this process may open " + std::to_string(limit.rlim_max) + " files, and needs " +
                                 std::to_string(count) + "; raise the limit on open files, or allow fewer calls");
  limit.rlim_cur = count;
  if (::setrlimit(RLIMIT_NOFILE, &limit) != 0) return fail(Errc::unexpected, "cannot open as many files");
  return {};
}

}  // namespace callvault::os
