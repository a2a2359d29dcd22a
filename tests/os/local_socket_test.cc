#include "os/local_socket.h"

#include <doctest/doctest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <string>

namespace callvault {
namespace {

struct Pair {
  Pair() {
    int ends[2] = {-1, -1};
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) == 0);
    far = ends[1];
    near.emplace(os::File(ends[0], os::Path()));
  }
  Pair(const Pair&) = delete;
  Pair& operator=(const Pair&) = delete;
  ~Pair() { end(); }
  void say(const std::string& text) const {
    REQUIRE(::write(far, text.data(), text.size()) == static_cast<ssize_t>(text.size()));
  }
  void end() {
    if (far >= 0) ::close(std::exchange(far, -1));
  }
  std::optional<os::LocalSocket> near;
  int far = -1;
};

TEST_CASE("a first line is taken whole, and nothing behind it") {
  Pair pair;
  CHECK(*pair.near->take_line(20) == std::nullopt);
  pair.say("a li");
  CHECK(*pair.near->take_line(20) == std::nullopt);
  pair.say("ne\nand more");
  CHECK(*pair.near->take_line(20) == "a line");
  std::array<std::byte, 8> rest{};
  REQUIRE(pair.near->receive(rest, os::within(std::chrono::seconds(1))));
  CHECK(base::as_text(rest) == "and more");
  pair.say("\n");
  CHECK(*pair.near->take_line(20) == "");
}

TEST_CASE("a first line that is too long, or never ends, is an error") {
  Pair pair;
  pair.say(std::string(21, 'x'));
  CHECK(pair.near->take_line(20).error().code == Errc::usage);
  Pair cut;
  cut.say("half");
  CHECK_FALSE(cut.near->sends_no_more());
  cut.end();
  CHECK(cut.near->sends_no_more());
  CHECK(cut.near->take_line(20).error().code == Errc::io);
}

TEST_CASE("what was sent before the end is still there after it") {
  Pair pair;
  pair.say("line\nrest");
  pair.end();
  CHECK(pair.near->sends_no_more());
  CHECK(*pair.near->take_line(20) == "line");
  std::array<std::byte, 4> rest{};
  CHECK(pair.near->receive(rest, os::within(std::chrono::seconds(1))));
}

TEST_CASE("who is at the other end, and of which group") {
  Pair pair;
  CHECK(pair.near->peer()->uid == ::getuid());
  CHECK(*pair.near->peer_has_group(::getgid()));
  CHECK_FALSE(*pair.near->peer_has_group(3999999999U));
}

}  // namespace
}  // namespace callvault
