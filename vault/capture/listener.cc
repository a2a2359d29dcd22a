#include "capture/listener.h"

#include <list>

#include "base/layout.h"
#include "capture/live_calls.h"
#include "codec/opus_page.h"
#include "os/child.h"
#include "os/file.h"
#include "os/local_socket.h"
#include "os/process.h"

namespace callvault::capture {
namespace {

constexpr std::size_t kMostLineBytes = 64 * 1024;
constexpr std::size_t kMostNewcomers = 64;
constexpr std::chrono::seconds kFirstLine{5};
constexpr std::uint32_t kHeaderlessRate = 8000;
// A call's socket, two files, and what is opened for a moment.
constexpr std::size_t kFilesPerCall = 4, kOtherFiles = 128;

struct Newcomer {
  os::LocalSocket socket;
  SteadyTime since;
};

class Listener {
 public:
  Listener(os::LocalListener listener, const ListenOptions& options, std::optional<std::uint32_t> group, unsigned owner)
      : options_(options), listener_(std::move(listener)), group_(group), owner_(owner), calls_(options) {}

  void run() {
    SteadyTime next = std::chrono::steady_clock::now();
    while (!stops()) {
      next = wait_until(next + kTurn);
      take_connections();
      hear_newcomers();
      calls_.turn();
    }
    newcomers_.clear();
    while (calls_.count() > 0) {
      next = wait_until(next + kTurn);
      calls_.turn();
    }
  }

 private:
  bool stops() const { return options_.should_stop && options_.should_stop(); }

  // A turn that is late does not make the next ones early.
  static SteadyTime wait_until(SteadyTime when) {
    const SteadyTime now = std::chrono::steady_clock::now();
    if (when < now) return now;
    std::this_thread::sleep_until(when);
    return when;
  }

  // Where none can be taken now, those that are carried go on, and the next turn tries again.
  void take_connections() {
    while (newcomers_.size() < kMostNewcomers) {
      auto accepted = listener_.accept();
      if (!accepted || !*accepted) return;
      os::LocalSocket& socket = **accepted;
      if (const auto allowed = may_record(socket); !allowed)
        refuse(socket, allowed.error());
      else if (calls_.count() + newcomers_.size() >= options_.most)
        refuse(socket, fail(Errc::busy, "as many calls as are allowed are being recorded: this one is not"));
      else
        newcomers_.push_back({std::move(socket), std::chrono::steady_clock::now()});
    }
  }

  Result<void> may_record(const os::LocalSocket& socket) const {
    CALLVAULT_TRY_ASSIGN(const os::Peer peer, socket.peer());
    if (peer.uid == 0 || peer.uid == os::own_uid() || peer.uid == owner_) return {};
    if (group_) {
      CALLVAULT_TRY_ASSIGN(const bool member, socket.peer_has_group(*group_));
      if (member) return {};
    }
    return fail(Errc::refused, "this account may not record here");
  }

  void refuse(os::LocalSocket& socket, const Error& why) const {
    const std::string text = options_.failed(why) + "\n";
    socket.part(base::as_bytes(text));
  }

  void hear_newcomers() {
    newcomers_.remove_if([this](Newcomer& one) {
      auto line = one.socket.take_line(kMostLineBytes);
      if (line && !*line) {
        if (std::chrono::steady_clock::now() - one.since < kFirstLine) return false;
        line = fail(Errc::usage, "the first line did not come in time");
      }
      auto asked = line ? request(**line) : Result<ListenOptions::Request>(line.error());
      if (asked)
        calls_.add(std::move(one.socket), std::move(*asked));
      else
        refuse(one.socket, asked.error());
      return true;
    });
  }

  Result<ListenOptions::Request> request(std::string_view line) const {
    CALLVAULT_TRY_ASSIGN(auto asked, options_.request(line));
    AudioFormat& audio = asked.options.audio;
    if (audio.format == InputFormat::automatic) audio.format = InputFormat::s16le;
    if (audio.format == InputFormat::wav)
      return fail(Errc::usage, "a connection carries headerless audio: format s16le, ulaw or alaw");
    if (!codec::is_opus_rate(audio.rate_hz.value_or(kHeaderlessRate)))
      return fail(Errc::usage, "a connection carries 8000, 12000, 16000, 24000 or 48000 Hz; a pipe takes other rates");
    return asked;
  }

  const ListenOptions& options_;
  os::LocalListener listener_;
  std::optional<std::uint32_t> group_;
  unsigned owner_;
  std::list<Newcomer> newcomers_;
  LiveCalls calls_;
};

}  // namespace

Result<void> listen(const ListenOptions& options) {
  const base::Layout layout{options.vault};
  CALLVAULT_TRY(os::allow_open_files(options.most * kFilesPerCall + kOtherFiles));
  CALLVAULT_TRY_ASSIGN(const unsigned owner, os::owner_of(layout.incoming()));
  CALLVAULT_TRY_ASSIGN(const auto group, os::sharing_group(layout.incoming()));
  CALLVAULT_TRY_ASSIGN(auto listener, os::LocalListener::bind_for(options.socket, group));
  if (options.on_ready) options.on_ready(options.socket.string());
  Listener(std::move(listener), options, group, owner).run();
  return {};
}

}  // namespace callvault::capture
