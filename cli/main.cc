// The command callvault: see docs/CLI.md.
#include <cstdio>
#include <exception>

#include "cli/app.h"
#include "cli/exit_codes.h"
#include "cli/signals.h"

int main(int argc, char** argv) {
  try {
    callvault::cli::prepare_process();
    return callvault::cli::run(argc, argv);
  } catch (const std::bad_alloc&) {
    std::fputs("callvault: out of memory\n", stderr);
  } catch (const std::exception&) {
    // Not what(): a library's words may quote the data it choked on.
    std::fputs("callvault: unexpected failure\n", stderr);
  }
  return static_cast<int>(callvault::cli::Exit::unexpected);
}
