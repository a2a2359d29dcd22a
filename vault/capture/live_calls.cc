#include "capture/live_calls.h"

#include <algorithm>
#include <exception>
#include <system_error>

#include "capture/admission.h"

namespace callvault::capture {
namespace {

// As many calls may be syncing or being sealed at once; a file system commits them together.
constexpr std::size_t kMostWriters = 1024;
constexpr std::chrono::seconds kFirstAudio{60};

}  // namespace

LiveCalls::LiveCalls(const ListenOptions& options) : options_(options) {
  const unsigned processors = std::max(1U, std::thread::hardware_concurrency());
  for (unsigned i = 0; i < processors; ++i) encoders_.emplace_back([this] { encode(); });
  writers_.emplace_back([this] { wait_for_disk(); });
}

LiveCalls::~LiveCalls() {
  {
    const std::lock_guard guard(mutex_);
    over_ = true;
  }
  due_signal_.notify_all();
  disk_signal_.notify_all();
  for (auto& thread : encoders_) thread.join();
  for (auto& thread : writers_) thread.join();
}

void LiveCalls::add(os::LocalSocket socket, ListenOptions::Request request) {
  auto line = std::make_unique<Line>(std::move(socket), std::move(request.options));
  Line* const made = line.get();
  made->options.vault = options_.vault;
  made->options.input_fd = made->socket.fd();
  made->options.should_stop = options_.should_stop;
  made->options.on_started = [this, made](const RecordingId& id) { tell(*made, options_.started(id)); };
  if (request.tells_safe)
    made->options.on_safe = [this, made](std::chrono::milliseconds safe) { tell(*made, options_.safe(safe)); };
  {
    const std::lock_guard guard(mutex_);
    lines_.push_back(std::move(line));
  }
  give_back(*made, Next::disk);
}

std::size_t LiveCalls::count() {
  const std::lock_guard guard(mutex_);
  return lines_.size();
}

void LiveCalls::turn() {
  {
    const std::lock_guard guard(mutex_);
    for (const auto& line : lines_) {
      if (std::exchange(line->rests, false)) due_.push_back(line.get());
    }
    if (due_.empty()) return;
  }
  due_signal_.notify_all();
}

void LiveCalls::encode() {
  std::unique_lock guard(mutex_);
  for (;;) {
    due_signal_.wait(guard, [this] { return over_ || !due_.empty(); });
    if (over_) return;
    Line* const line = due_.front();
    due_.pop_front();
    guard.unlock();
    give_back(*line, carry(*line, &LiveCalls::listen_to));
    guard.lock();
  }
}

void LiveCalls::wait_for_disk() {
  std::unique_lock guard(mutex_);
  for (;;) {
    ++waiting_for_disk_;
    disk_signal_.wait(guard, [this] { return over_ || !at_disk_.empty(); });
    --waiting_for_disk_;
    if (over_) return;
    Line* const line = at_disk_.front();
    at_disk_.pop_front();
    guard.unlock();
    give_back(*line, carry(*line, &LiveCalls::keep));
    guard.lock();
  }
}

void LiveCalls::give_back(Line& line, Next next) {
  std::unique_lock guard(mutex_);
  if (next == Next::rest) {
    line.rests = true;
    return;
  }
  if (next == Next::over) {
    std::list<std::unique_ptr<Line>> over;
    const auto at = std::find_if(lines_.begin(), lines_.end(), [&](const auto& one) { return one.get() == &line; });
    over.splice(over.begin(), lines_, at);
    guard.unlock();  // its files are closed without the others waiting
    return;
  }
  at_disk_.push_back(&line);
  disk_signal_.notify_one();
  if (over_ || at_disk_.size() <= waiting_for_disk_ || writers_.size() >= kMostWriters) return;
  try {
    writers_.emplace_back([this] { wait_for_disk(); });
  } catch (const std::system_error&) {
    // Those that are there do it, later.
  }
}

LiveCalls::Next LiveCalls::carry(Line& line, Result<Next> (LiveCalls::*work)(Line&)) {
  Result<Next> next = Next::over;
  try {
    next = (this->*work)(line);
  } catch (const std::bad_alloc&) {
    next = fail(Errc::unexpected, "out of memory");
  } catch (const std::exception&) {
    next = fail(Errc::unexpected, "unexpected failure");
  }
  if (next) return *next;
  const std::string text = options_.failed(next.error()) + "\n";
  line.socket.part(base::as_bytes(text));
  return Next::over;
}

Result<LiveCalls::Next> LiveCalls::listen_to(Line& line) {
  Recording& recording = *line.recording;
  const SteadyTime now = std::chrono::steady_clock::now();
  const bool ends = line.socket.sends_no_more();
  if (line.stage == Stage::silent) {
    if (ends || recording.has_frame()) return Next::disk;
    if (recording.asked_to_end() || now - line.heard > kFirstAudio)
      return fail(Errc::usage, "the call ended before any audio came: nothing is stored");
    return Next::rest;
  }
  if (recording.has_frame()) line.heard = now;
  if (now - line.heard > options_.idle) recording.end();
  // Nothing that is read then waits: what has arrived is all there is.
  const bool is_last = ends || recording.asked_to_end();
  Result<bool> more = true;
  while (more && *more && (is_last || recording.has_frame())) more = recording.step();
  if (!more) line.taken = more.error();
  if (!more || !*more) line.stage = Stage::ending;
  return line.stage == Stage::ending || recording.is_due(now) ? Next::disk : Next::rest;
}

Result<LiveCalls::Next> LiveCalls::keep(Line& line) {
  if (line.stage == Stage::running) {
    line.recording->keep(std::chrono::steady_clock::now());
    return Next::rest;
  }
  if (line.stage != Stage::ending) return prepare(line);
  CALLVAULT_TRY_ASSIGN(auto summary, line.recording->finish(line.taken));
  CALLVAULT_TRY(write_times(line.view->config(), summary));
  tell(line, options_.sealed(summary));
  return Next::over;
}

Result<LiveCalls::Next> LiveCalls::prepare(Line& line) {
  if (line.stage == Stage::fresh) {
    CALLVAULT_TRY_ASSIGN(line.view, keys::RecorderView::open(options_.vault));
    CALLVAULT_TRY(read_start(line.view->config(), line.options));
    line.recording.emplace(*line.view, line.options, Recording::Upkeep::by_steps);
    CALLVAULT_TRY(line.recording->open());
    line.stage = Stage::silent;
    return Next::rest;
  }
  CALLVAULT_TRY(line.recording->start());
  line.stage = Stage::running;
  line.heard = std::chrono::steady_clock::now();
  return Next::rest;
}

// A reader that is gone or slow does not hold the call.
void LiveCalls::tell(Line& line, const std::string& words) {
  const std::string text = words + "\n";
  line.socket.offer(base::as_bytes(text));
}

}  // namespace callvault::capture
