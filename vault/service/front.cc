#include "service/front.h"

#include <algorithm>
#include <charconv>
#include <thread>

#include "service/protocol.h"

namespace callvault::service {
namespace {

using Steady = std::chrono::steady_clock;

constexpr std::chrono::seconds kLook{1};
constexpr std::chrono::milliseconds kPause{100};
// Longer than any verb waits for the vault and for a slow reader.
constexpr std::chrono::minutes kLongestVisit{10};
constexpr std::chrono::seconds kFarewell{10};
constexpr std::uint32_t kAtOncePerAccount = 8;

struct Guest {
  os::Child child;
  std::uint32_t uid = 0;
  Steady::time_point since;
};

class Front {
 public:
  Front(os::LocalListener listener, const FrontOptions& options)
      : listener_(std::move(listener)), options_(options), idle_since_(Steady::now()) {}

  void run() {
    while (!options_.should_stop || !options_.should_stop()) {
      turn(guests_.size() < options_.policy.connections);
      if (!guests_.empty()) idle_since_ = Steady::now();
      if (options_.idle_exit && guests_.empty() && Steady::now() - idle_since_ >= *options_.idle_exit) break;
    }
    // What was begun is finished; who dawdles is not waited for.
    const auto until = Steady::now() + kFarewell;
    while (!guests_.empty() && Steady::now() < until) turn(false);
    for (const auto& guest : guests_) os::kill_child(guest.child.pid);
    for (const auto& guest : guests_) os::reap(guest.child.pid);
  }

 private:
  void turn(bool takes_more) {
    std::vector<int> fds;
    if (takes_more) fds.push_back(listener_.fd());
    for (const auto& guest : guests_) fds.push_back(guest.child.channel.fd());
    const auto ready = os::wait_for_any(fds, kLook);
    if (!ready) std::this_thread::sleep_for(kPause);
    for (const int fd : ready ? *ready : std::vector<int>()) {
      if (fd == listener_.fd())
        take_one();
      else
        answer(fd);
    }
    for (const auto& guest : guests_)
      if (Steady::now() - guest.since > kLongestVisit) os::kill_child(guest.child.pid);
  }

  void take_one() {
    auto accepted = listener_.accept();
    if (!accepted) std::this_thread::sleep_for(kPause);  // it goes on waiting, and others end meanwhile
    if (!accepted || !*accepted) return;
    auto& socket = *accepted;
    const auto peer = socket->peer();
    if (!peer) return;
    const auto at_once =
        std::count_if(guests_.begin(), guests_.end(), [&](const Guest& g) { return g.uid == peer->uid; });
    if (at_once >= kAtOncePerAccount) {
      offer_refusal(*socket, fail(Errc::busy, "this account has too many requests open at once"));
      return;
    }
    const auto verdict =
        tally_.count("request " + std::to_string(peer->uid), options_.policy.requests_per_minute, Steady::now());
    if (verdict == Verdict::over) {
      offer_refusal(*socket, fail(Errc::refused, "over the limit of requests a minute; wait a minute"));
      return;
    }
    auto child = os::fork_child([&](os::File channel) {
      os::close_all_but({channel.fd(), socket->fd()});
      Visit visit{std::move(*socket), *peer, Counter(channel.fd()), verdict == Verdict::over_first};
      options_.attend(visit);
    });
    if (!child) offer_refusal(*socket, fail(Errc::busy, "the keeper's service cannot take more requests now"));
    if (child) guests_.push_back({std::move(*child), peer->uid, Steady::now()});
  }

  // "LIMIT what who", from a connection's process; or its end.
  void answer(int channel) {
    const auto guest =
        std::find_if(guests_.begin(), guests_.end(), [&](const Guest& g) { return g.child.channel.fd() == channel; });
    if (guest == guests_.end()) return;
    const auto question = os::read_message(channel);
    if (!question) return give_up(guest);
    std::uint32_t limit = 0;
    const auto space = question->find(' ');
    const auto end = question->data() + std::min(space, question->size());
    if (std::from_chars(question->data(), end, limit).ptr != end) limit = 0;
    const auto verdict = tally_.count(question->substr(std::min(space, question->size())), limit, Steady::now());
    // It would wait for ever.
    if (!os::write_message(channel, std::string(1, static_cast<char>('0' + static_cast<int>(verdict))))) give_up(guest);
  }

  void give_up(std::vector<Guest>::iterator guest) {
    os::kill_child(guest->child.pid);
    os::reap(guest->child.pid);
    guests_.erase(guest);
  }

  os::LocalListener listener_;
  const FrontOptions& options_;
  std::vector<Guest> guests_;
  Tally tally_;
  Steady::time_point idle_since_;
};

}  // namespace

Result<Verdict> Counter::count(const std::string& what, const std::string& who, std::uint32_t limit) const {
  const auto unheard = fail(Errc::busy, "the keeper's service cannot count requests now");
  if (!os::write_message(channel_, std::to_string(limit) + " " + what + " " + who)) return unheard;
  const auto answer = os::await_message(channel_);
  if (!answer || answer->size() != 1 || *answer > "2") return unheard;
  return static_cast<Verdict>((*answer)[0] - '0');
}

void run_front(os::LocalListener listener, const FrontOptions& options) { Front(std::move(listener), options).run(); }

}  // namespace callvault::service
