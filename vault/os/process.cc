#include "os/process.h"

#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

namespace callvault::os {

Result<void> forbid_dumps() {
  ::umask(077);
  const rlimit none{0, 0};
  if (::setrlimit(RLIMIT_CORE, &none) != 0) return fail(Errc::unexpected, "cannot forbid core dumps");
  if (::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) return fail(Errc::unexpected, "cannot forbid tracing");
  return {};
}

}  // namespace callvault::os
