// File systems of their own for tests, on loop devices; and a folder that goes with the test.
#pragma once

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <initializer_list>
#include <string>
#include <vector>

#include "os/file.h"

namespace callvault::tests {

struct TemporaryFolder {
  os::Path path;
  TemporaryFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "callvault-place-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    path = name;
  }
  ~TemporaryFolder() {
    std::error_code ec;
    std::filesystem::remove_all(path, ec);
  }
};

// The exit status; 127 when there is no such program.
inline int run(std::initializer_list<std::string> words) {
  std::vector<std::string> copies(words);
  copies[0] = std::filesystem::exists("/usr/sbin/" + copies[0]) ? "/usr/sbin/" + copies[0] : copies[0];
  std::vector<char*> arguments;
  for (std::string& word : copies) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  const pid_t child = ::fork();
  if (child == 0) {
    const int null = ::open("/dev/null", O_RDWR);
    for (int fd = 0; fd < 3; ++fd) ::dup2(null, fd);
    ::execvp(arguments[0], arguments.data());
    ::_exit(127);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

// A file system in a file, mounted; `ready` is false, with a reason, where that cannot be done.
struct Mounted {
  TemporaryFolder folder;
  os::Path point;
  bool ready = false;
  std::string why;

  Mounted(const std::string& kind, const std::string& options, bool journal_by_default = false) {
    point = folder.path / "mounted";
    const std::string file = image().string();
    if (::geteuid() != 0) why = "not root";
    if (!why.empty()) return;
    if (run({"truncate", "-s", "320M", file}) != 0) why = "no room for an image";
    if (why.empty() && run({"mkfs." + kind, "-q", file}) != 0) why = "no mkfs." + kind;
    if (why.empty() && journal_by_default && run({"tune2fs", "-o", "journal_data", file}) != 0) why = "no tune2fs";
    if (!why.empty()) return;
    std::filesystem::create_directory(point);
    const std::string all = options.empty() ? "loop" : "loop," + options;
    if (run({"mount", "-t", kind, "-o", all, file, point.string()}) != 0) why = "cannot mount " + kind;
    ready = why.empty();
  }
  ~Mounted() { unmount(); }
  void unmount() {
    if (ready) run({"umount", point.string()});
    ready = false;
  }
  os::Path image() const { return folder.path / "image"; }
};

}  // namespace callvault::tests
