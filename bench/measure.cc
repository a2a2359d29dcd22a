// Runs a command and tells, as one JSON line, what it cost: wall time, the moment its output reached some size, CPU
// time of its own, the most memory it held. A small process, so that starting another from it costs next to nothing.
//   measure [--out FILE] [--until BYTES] -- COMMAND ARGUMENT...
#include <fcntl.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string_view>

extern char** environ;

namespace {

using SteadyClock = std::chrono::steady_clock;

double ms_since(SteadyClock::time_point start) {
  return std::chrono::duration<double, std::milli>(SteadyClock::now() - start).count();
}

double to_ms(const timeval& t) { return static_cast<double>(t.tv_sec) * 1e3 + static_cast<double>(t.tv_usec) / 1e3; }

int usage() {
  std::fputs("usage: measure [--out FILE] [--until BYTES] -- COMMAND ARGUMENT...\n", stderr);
  return 2;
}

}  // namespace

int main(int argc, char** argv) {
  const char* out_path = "/dev/null";
  unsigned long until = 1;
  int at = 1;
  for (; at + 1 < argc && std::string_view(argv[at]) != "--"; at += 2) {
    if (std::string_view(argv[at]) == "--out")
      out_path = argv[at + 1];
    else if (std::string_view(argv[at]) == "--until")
      until = std::strtoul(argv[at + 1], nullptr, 10);
    else
      return usage();
  }
  if (at + 1 >= argc || std::string_view(argv[at]) != "--") return usage();
  char** command = argv + at + 1;

  const int out = ::open(out_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  std::array<int, 2> ends{};
  if (out < 0 || ::pipe2(ends.data(), O_CLOEXEC) != 0) return usage();
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);

  const auto start = SteadyClock::now();
  pid_t child = 0;
  if (const int error = ::posix_spawnp(&child, command[0], &actions, nullptr, command, environ); error != 0) {
    std::fprintf(stderr, "measure: cannot start %s\n", command[0]);
    return 127;
  }
  ::close(ends[1]);
  double until_ms = -1;
  unsigned long got = 0;
  std::array<char, 65536> buffer{};
  for (;;) {
    const ssize_t n = ::read(ends[0], buffer.data(), buffer.size());
    if (n <= 0) break;
    got += static_cast<unsigned long>(n);
    if (until_ms < 0 && got >= until) until_ms = ms_since(start);
    if (::write(out, buffer.data(), static_cast<std::size_t>(n)) != n) return 1;
  }
  int status = 0;
  rusage used{};
  ::wait4(child, &status, 0, &used);
  const double wall_ms = ms_since(start);
  std::printf("{\"exit\":%d,\"wall_ms\":%.3f,\"until_ms\":%.3f,\"cpu_ms\":%.3f,\"maxrss_kib\":%ld,\"bytes\":%lu}\n",
              WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status), wall_ms, until_ms,
              to_ms(used.ru_utime) + to_ms(used.ru_stime), used.ru_maxrss, got);
  return 0;
}
