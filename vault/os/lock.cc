#include "os/lock.h"

#include <unistd.h>

#include <algorithm>
#include <string>
#include <thread>

namespace callvault::os {
namespace {

// The holder writes who it is into the lock file, only for the message below.
std::string holder_of(const File& file) {
  Bytes text(32);
  const auto got = file.read_at(text, 0);
  if (!got || *got == 0) return "another process";
  std::string pid(base::as_text(ByteView(text).first(*got)));
  pid = pid.substr(0, pid.find('\n'));
  if (pid.empty() || pid.find_first_not_of("0123456789") != std::string::npos) return "another process";
  return "process " + pid;
}

}  // namespace

Result<Lock> Lock::acquire(const Path& path, LockMode mode, std::chrono::milliseconds patience) {
  using Steady = std::chrono::steady_clock;
  CALLVAULT_TRY_ASSIGN(File file, File::open_or_create(path));
  const auto start = Steady::now();
  auto pause = std::chrono::milliseconds(1);
  while (true) {
    CALLVAULT_TRY_ASSIGN(const bool mine,
                         mode == LockMode::exclusive ? file.try_lock_exclusive() : file.try_lock_shared());
    if (mine) break;
    if (Steady::now() - start >= patience) {
      const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(patience).count();
      return fail(Errc::busy, "vault busy: " + holder_of(file) + " has held " + path.string() + " for " +
                                  std::to_string(seconds) + " s or more");
    }
    std::this_thread::sleep_for(pause);
    pause = std::min(pause * 2, std::chrono::milliseconds(50));
  }
  if (mode == LockMode::exclusive) {
    const std::string pid = std::to_string(::getpid()) + "\n";
    (void)file.write_at(base::as_bytes(pid), 0);
  }
  return Lock(std::move(file), mode);
}

}  // namespace callvault::os
