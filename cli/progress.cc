#include "cli/progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "cli/file_calls.h"
#include "cli/text.h"

namespace callvault::cli {
namespace {

constexpr std::uint64_t kBarWidth = 30;
constexpr auto kEvery = std::chrono::milliseconds(100);

}  // namespace

ProgressBar::ProgressBar(const Output& output, std::string what)
    : what_(std::move(what)), shown_(!output.quiet() && !output.json() && ::isatty(STDERR_FILENO) == 1) {}

Progress ProgressBar::callback() {
  if (!shown_) return {};
  return [this](std::uint64_t done, std::uint64_t total) {
    if (!due()) return;
    if (total == 0) return draw(fmt::format("{} {}", what_, done));
    const std::uint64_t at = std::min(done, total);
    const auto filled = static_cast<std::size_t>(at * kBarWidth / total);
    draw(fmt::format("{} [{:<{}}] {:3}%", what_, std::string(filled, '#'), kBarWidth, at * 100 / total));
  };
}

void ProgressBar::bytes(std::uint64_t done) {
  if (shown_ && due()) draw(fmt::format("{} {}", what_, human_bytes(done)));
}

bool ProgressBar::due() {
  const auto now = std::chrono::steady_clock::now();
  if (now - last_ < kEvery) return false;
  last_ = now;
  return true;
}

void ProgressBar::draw(const std::string& text) {
  (void)write_all(STDERR_FILENO, "\r" + text + "\x1b[K");
  drawn_ = true;
}

void ProgressBar::clear() {
  if (drawn_) (void)write_all(STDERR_FILENO, "\r\x1b[K");
  drawn_ = false;
}

}  // namespace callvault::cli
