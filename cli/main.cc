// The command callvault: see docs/CLI.md.
#include <unistd.h>

#include <exception>
#include <new>
#include <string_view>

#include "cli/app.h"
#include "cli/exit_codes.h"
#include "cli/file_calls.h"
#include "cli/output.h"
#include "cli/signals.h"

namespace {

// Made beforehand: there may be no memory to make them.
struct LastWords {
  std::string_view plain, json;
};
constexpr LastWords kOutOfMemory{"callvault: out of memory\n",
                                 "{\"error\":{\"code\":\"unexpected\",\"message\":\"out of memory\",\"hint\":\"what "
                                 "was reported done is safe; run the "
                                 "command again\"}}\n"};
constexpr LastWords kUnexpected{"callvault: unexpected failure\n",
                                "{\"error\":{\"code\":\"unexpected\",\"message\":\"unexpected "
                                "failure\",\"hint\":\"what was reported done is safe; run "
                                "the command again\"}}\n"};

void say(const LastWords& words) {
  const int fd = callvault::cli::json_for_last_words();
  (void)callvault::cli::write_all(fd >= 0 ? fd : STDERR_FILENO, fd >= 0 ? words.json : words.plain);
}

// Memory may give out where nothing may be thrown: some libraries allocate to destroy. What is on the disk is as after
// a kill.
[[noreturn]] void give_up() {
  callvault::cli::tidy_up();
  const LastWords* said = &kUnexpected;
  try {
    if (const auto why = std::current_exception()) std::rethrow_exception(why);
  } catch (const std::bad_alloc&) {
    said = &kOutOfMemory;
  } catch (...) {
  }
  say(*said);
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
    say(kOutOfMemory);
  } catch (const std::exception&) {
    // Not what(): a library's words may quote the data it choked on.
    say(kUnexpected);
  }
  return static_cast<int>(callvault::cli::Exit::unexpected);
}
