#include "cli/output.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "cli/file_calls.h"
#include "cli/signals.h"
#include "cli/text.h"

namespace callvault::cli {
namespace {

constexpr std::size_t kBufferBytes = 64 * 1024;

bool wants_colour() {
  const auto term = environment("TERM");
  return ::isatty(STDOUT_FILENO) == 1 && !environment("NO_COLOR") && term && *term != "dumb";
}

std::string prefixed(std::string_view text) { return "callvault: " + printable(text) + "\n"; }

}  // namespace

void Output::configure(bool json, bool quiet) {
  json_ = json;
  quiet_ = quiet;
  colour_ = !json && wants_colour();
}

void Output::give_stdout_to_audio() {
  audio_on_stdout_ = true;
  if (json_) say_interrupts_in_json(STDERR_FILENO);
}

std::string Output::styled(std::string_view text, std::string_view sgr) const {
  if (!colour_ || sgr.empty()) return printable(text);
  return "\x1b[" + std::string(sgr) + "m" + printable(text) + "\x1b[0m";
}

void Output::put(int fd, std::string_view text) {
  if (fd != STDOUT_FILENO) {
    (void)write_all(fd, text);
    return;
  }
  buffer_ += text;
  if (buffer_.size() >= kBufferBytes) (void)flush();
}

void Output::line(std::string_view text) { put(STDOUT_FILENO, std::string(text) + "\n"); }

void Output::object(const JsonObject& object) {
  put(audio_on_stdout_ ? STDERR_FILENO : STDOUT_FILENO, object.text() + "\n");
}

void Output::note(std::string_view text) {
  if (!quiet_) warn(text);
}

void Output::warn(std::string_view text) {
  (void)flush();
  put(STDERR_FILENO, prefixed(text));
}

void Output::error(const Error& error, std::string_view hint) {
  if (json_) {
    JsonObject inner;
    inner.put("code", errc_name(error.code)).put("message", error.message).put("hint", hint);
    object(JsonObject().put("error", inner));
    return;
  }
  (void)flush();
  put(STDERR_FILENO, prefixed(error.message) + (hint.empty() ? "" : prefixed(hint)));
}

Result<void> Output::flush() {
  if (!buffer_.empty() && broken_ == 0 && !write_all(STDOUT_FILENO, buffer_)) broken_ = errno;
  buffer_.clear();
  if (broken_ == 0) return {};
  return fail(broken_ == ENOSPC || broken_ == EDQUOT ? Errc::no_space : Errc::io,
              std::string("cannot write to standard output: ") + std::strerror(broken_));
}

}  // namespace callvault::cli
