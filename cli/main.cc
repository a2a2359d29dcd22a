// The command callvault: see docs/CLI.md.
#include <unistd.h>

#include <cstdio>
#include <exception>
#include <new>

#include "cli/app.h"
#include "cli/exit_codes.h"
#include "cli/signals.h"

namespace {

constexpr const char* kOutOfMemory = "callvault: out of memory\n";
constexpr const char* kUnexpected = "callvault: unexpected failure\n";

// Memory may give out where nothing may be thrown: some libraries allocate to destroy. What is on the disk is as after a
// kill.
[[noreturn]] void give_up() {
  callvault::cli::tidy_up();
  const char* said = kUnexpected;
  try {
    if (const auto why = std::current_exception()) std::rethrow_exception(why);
  } catch (const std::bad_alloc&) {
    said = kOutOfMemory;
  } catch (...) {
  }
  std::fputs(said, stderr);
  ::_exit(static_cast<int>(callvault::cli::Exit::unexpected));
}

// Before other static objects are made, which may throw as well.
[[gnu::constructor(101)]] void be_ready_to_give_up() { std::set_terminate(give_up); }

}  // namespace

int main(int argc, char** argv) {
  try {
    callvault::cli::prepare_process();
    return callvault::cli::run(argc, argv);
  } catch (const std::bad_alloc&) {
    std::fputs(kOutOfMemory, stderr);
  } catch (const std::exception&) {
    // Not what(): a library's words may quote the data it choked on.
    std::fputs(kUnexpected, stderr);
  }
  return static_cast<int>(callvault::cli::Exit::unexpected);
}
