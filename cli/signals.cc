#include "cli/signals.h"

#include <fcntl.h>
#include <signal.h>
#include <termios.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <string_view>

#include "cli/exit_codes.h"

namespace callvault::cli {
namespace {

// All a signal handler may look at. Lock-free by requirement of async-signal safety.
std::atomic<bool> g_stop{false};
std::atomic<int> g_json{-1};  // where to
std::atomic<int> g_tty{-1};
std::atomic<const char*> g_unfinished{nullptr};
termios g_settings{};
static_assert(std::atomic<bool>::is_always_lock_free && std::atomic<const char*>::is_always_lock_free);

constexpr std::string_view kInterrupted =
    "{\"error\":{\"code\":\"interrupted\",\"message\":\"interrupted by a signal\",\"hint\":\"what was "
    "reported done is safe; run the command again\"}}\n";

void on_end_of_call(int) { g_stop = true; }

void on_interrupt(int) {
  tidy_up();
  if (const int fd = g_json; fd >= 0 && ::write(fd, kInterrupted.data(), kInterrupted.size()) < 0) ::_exit(1);
  ::_exit(static_cast<int>(Exit::interrupted));
}

void handle(int signal, void (*handler)(int)) {
  struct sigaction old {};
  // A parent that ignores SIGHUP (nohup) means it.
  if (::sigaction(signal, nullptr, &old) == 0 && old.sa_handler == SIG_IGN && signal == SIGHUP) return;
  struct sigaction action {};
  action.sa_handler = handler;  // without SA_RESTART: a waiting read returns
  ::sigemptyset(&action.sa_mask);
  ::sigaction(signal, &action, nullptr);
}

void handle_all(void (*handler)(int)) {
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) handle(signal, handler);
}

}  // namespace

void tidy_up() {
  if (const int tty = g_tty; tty >= 0) ::tcsetattr(tty, TCSANOW, &g_settings);
  if (const char* path = g_unfinished) ::unlink(path);
}

void prepare_process() {
  for (int fd = 0; fd <= 2; ++fd)
    if (::fcntl(fd, F_GETFD) < 0 && errno == EBADF) (void)::open("/dev/null", fd == 0 ? O_RDONLY : O_WRONLY);
  ::signal(SIGPIPE, SIG_IGN);
  handle_all(on_interrupt);
}

void say_interrupts_in_json(int fd) { g_json = fd; }

int json_for_last_words() { return g_json; }

void signals_end_the_call() { handle_all(on_end_of_call); }

bool end_of_call() { return g_stop; }

void restore_terminal_on_signal(int tty, const termios* settings) {
  g_tty = -1;
  if (settings != nullptr) g_settings = *settings;
  g_tty = tty;
}

void remove_on_signal(const char* path) { g_unfinished = path; }

}  // namespace callvault::cli
