// Calls that share a few threads. Those that encode never wait: once in a turn each call's audio is taken as it lies in
// its socket. Whatever waits for the disk is done by others, one call each, while that call's audio waits in its socket
// and all others go on.
#pragma once

#include <condition_variable>
#include <deque>
#include <list>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "callvault/listen.h"
#include "capture/recorder.h"
#include "os/local_socket.h"

namespace callvault::capture {

inline constexpr std::chrono::milliseconds kTurn{100};

class LiveCalls {
 public:
  explicit LiveCalls(const ListenOptions& options);
  LiveCalls(const LiveCalls&) = delete;
  LiveCalls& operator=(const LiveCalls&) = delete;
  // REQUIRES: count() is 0, or the process ends.
  ~LiveCalls();

  void add(os::LocalSocket socket, ListenOptions::Request request);
  std::size_t count();
  // Each kTurn: every call that rests is looked at.
  void turn();

 private:
  enum class Stage : std::uint8_t { fresh, silent, running, ending };
  struct Line {
    Line(os::LocalSocket connection, IngestOptions asked)
        : socket(std::move(connection)), options(std::move(asked)), heard(std::chrono::steady_clock::now()) {}
    os::LocalSocket socket;
    IngestOptions options;
    std::optional<keys::RecorderView> view;  // of this call: keys change while this process runs
    std::optional<Recording> recording;
    Result<void> taken;  // how its audio ended
    SteadyTime heard;    // audio, the last time
    Stage stage = Stage::fresh;
    bool rests = false;
  };
  enum class Next : std::uint8_t { rest, disk, over };

  void encode();
  void wait_for_disk();
  // What a thread does with a call that is its alone meanwhile. An error or an exception ends that call.
  Next carry(Line& line, Result<Next> (LiveCalls::*work)(Line&));
  Result<Next> listen_to(Line& line);
  Result<Next> keep(Line& line);
  Result<Next> prepare(Line& line);
  void give_back(Line& line, Next next);
  static void tell(Line& line, const std::string& words);

  const ListenOptions& options_;
  std::mutex mutex_;
  std::condition_variable due_signal_, disk_signal_;
  std::list<std::unique_ptr<Line>> lines_;
  std::deque<Line*> due_, at_disk_;
  std::size_t waiting_for_disk_ = 0;  // threads without work
  bool over_ = false;
  std::vector<std::thread> encoders_, writers_;
};

}  // namespace callvault::capture
