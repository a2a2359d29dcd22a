// What signals do: end of call during ingest, exit 130 everywhere else, after tidying up.
#pragma once

struct termios;

namespace callvault::cli {

// Opens /dev/null on closed standard descriptors, ignores SIGPIPE, and lets SIGINT, SIGTERM and SIGHUP end the
// process with 130.
void prepare_process();
// In JSON mode an interrupted command still says so, in one line to `fd`.
void say_interrupts_in_json(int fd);
// Where that line would go; -1 in plain mode.
int json_for_last_words();
// SIGINT, SIGTERM and SIGHUP mean end of call from here on: they only set what end_of_call() tells.
void signals_end_the_call();
bool end_of_call();

// The terminal as it was, and no unfinished copy: for a process that ends where it stands. Async-signal-safe.
void tidy_up();
// Done by the handler before it exits; -1 and null forget it.
void restore_terminal_on_signal(int tty, const termios* settings);
void remove_on_signal(const char* path);  // REQUIRES: `path` lives until it is forgotten

}  // namespace callvault::cli
