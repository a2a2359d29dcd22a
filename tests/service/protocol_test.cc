// Frames over a real socket, what is signed, and counting by the minute.
#include "service/protocol.h"

#include <doctest/doctest.h>
#include <sys/socket.h>

#include "crypto/random.h"
#include "service/tally.h"

namespace {

using namespace callvault;
using namespace std::chrono_literals;
using service::FrameKind;

struct Pair {
  os::LocalSocket ours, theirs;
};

Pair make_pair() {
  int ends[2];
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) == 0);
  return {os::LocalSocket(os::File(ends[0], {})), os::LocalSocket(os::File(ends[1], {}))};
}

TEST_CASE("a frame arrives as it was sent") {
  auto [ours, theirs] = make_pair();
  const service::Bytes payload(1000, std::byte{7});
  REQUIRE(service::send_frame(ours, FrameKind::item, payload, os::within(1s)));
  REQUIRE(service::send_frame(ours, FrameKind::done, {}, os::within(1s)));
  const auto item = service::receive_frame(theirs, 1000, os::within(1s));
  REQUIRE(item);
  CHECK(item->kind == FrameKind::item);
  CHECK(item->payload == payload);
  CHECK(service::receive_frame(theirs, 0, os::within(1s)).value().kind == FrameKind::done);
}

TEST_CASE("half a frame, none, too large a one, and none of ours are told apart, in time") {
  auto [ours, theirs] = make_pair();
  const auto code = [&](std::size_t most) {
    return service::receive_frame(theirs, most, os::within(50ms)).error().code;
  };
  CHECK(code(10) == Errc::busy);
  REQUIRE(ours.send(service::Bytes(3, std::byte{0}), os::within(1s)));
  CHECK(code(10) == Errc::busy);
  auto [other, reader] = make_pair();
  REQUIRE(service::send_frame(other, FrameKind::item, service::Bytes(11), os::within(1s)));
  CHECK(service::receive_frame(reader, 10, os::within(1s)).error().code == Errc::usage);
  auto [http, server] = make_pair();
  REQUIRE(http.send(base::as_bytes("GET / HTTP/1.1\r\n"), os::within(1s)));
  CHECK(service::receive_frame(server, 1 << 20, os::within(1s)).error().code == Errc::usage);
  { const auto gone = std::move(http); }
  CHECK(service::receive_frame(server, 1 << 20, os::within(1s)).error().code == Errc::usage);
  auto [short_lived, waiting] = make_pair();
  { const auto gone = std::move(short_lived); }
  CHECK(service::receive_frame(waiting, 10, os::within(1s)).error().code == Errc::io);
}

TEST_CASE("who does not read is given up at the deadline") {
  auto [ours, theirs] = make_pair();
  const auto sent = service::send_frame(ours, FrameKind::item, service::Bytes(8 << 20), os::within(100ms));
  REQUIRE_FALSE(sent);
  CHECK(sent.error().code == Errc::busy);
}

TEST_CASE("secrets and files come along, and only to who takes them") {
  auto [ours, theirs] = make_pair();
  auto secrets = crypto::SecretBuffer::make(64).value();
  crypto::fill_random(secrets.reveal_mutable());
  const int files[] = {0, 1};
  for (const bool takes : {true, false}) {
    REQUIRE(service::send_frame(ours, FrameKind::released, base::as_bytes("x"), os::within(1s), files));
    REQUIRE(service::send_secrets(ours, secrets, os::within(1s)));
    const auto frame = service::receive_frame(theirs, 10, os::within(1s), takes);
    REQUIRE(frame);
    CHECK(frame->files.size() == (takes ? 2 : 0));
    const auto got = service::receive_secrets(theirs, os::within(1s));
    REQUIRE(got);
    CHECK(std::ranges::equal(got->reveal(), secrets.reveal()));
  }
  REQUIRE(service::send_frame(ours, FrameKind::done, {}, os::within(1s)));
  CHECK_FALSE(service::receive_secrets(theirs, os::within(1s)));
}

TEST_CASE("a signature is for one request, one greeting, one vault, one account") {
  service::Hello hello;
  hello.origin = "callvault/a";
  crypto::fill_random(hello.nonce);
  const service::Request request{"play", "ana", {}, {std::byte{1}}};
  const auto text = service::signed_text(hello, 1000, request);
  CHECK(text == service::signed_text(hello, 1000, request));
  CHECK(text != service::signed_text(hello, 1001, request));
  auto other = hello;
  other.origin = "callvault/b";
  CHECK(text != service::signed_text(other, 1000, request));
  other = hello;
  other.nonce[0] ^= std::byte{1};
  CHECK(text != service::signed_text(other, 1000, request));
  for (const auto& changed :
       {service::Request{"show", "ana", {}, {std::byte{1}}}, service::Request{"play", "ion", {}, {std::byte{1}}},
        service::Request{"play", "ana", {}, {std::byte{2}}}, service::Request{"playa", "na", {}, {std::byte{1}}}})
    CHECK(text != service::signed_text(hello, 1000, changed));
}

TEST_CASE("greetings and requests are decoded strictly") {
  service::Hello hello;
  hello.version = service::kProtocolVersion;
  hello.vault = "/srv/vault";
  hello.time_zone = "Europe/Bucharest";
  hello.contacts.dpo = "dpo@example.org";
  hello.people = {"ana"};
  auto bytes = service::encode_hello(hello);
  CHECK(service::decode_hello(bytes).value().people == hello.people);
  CHECK(service::decode_hello(bytes).value().contacts.dpo == hello.contacts.dpo);
  bytes[0] = std::byte{9};
  CHECK(service::decode_hello(bytes).error().code == Errc::newer_version);

  const service::Request request{"play", "ana", {}, {std::byte{1}, std::byte{2}}};
  const auto text = service::encode_request(request);
  const auto out = service::decode_request(text);
  REQUIRE(out);
  CHECK(out->verb == "play");
  CHECK(out->arguments == request.arguments);
  for (std::size_t n = 2; n < text.size(); ++n)
    CHECK(service::decode_request(service::ByteView(text).first(n)).error().code == Errc::usage);
}

TEST_CASE("counts begin anew after a minute, and the first over the limit is told apart") {
  service::Tally tally;
  const service::Tally::Instant begin{};
  using service::Verdict;
  CHECK(tally.count("opening ana", 2, begin) == Verdict::within);
  CHECK(tally.count("opening ana", 2, begin + 10s) == Verdict::within);
  CHECK(tally.count("opening ana", 2, begin + 20s) == Verdict::over_first);
  CHECK(tally.count("opening ana", 2, begin + 30s) == Verdict::over);
  CHECK(tally.count("opening ion", 2, begin + 30s) == Verdict::within);
  CHECK(tally.count("opening ana", 2, begin + 60s) == Verdict::within);
  // Many names do not push the living ones out.
  for (int i = 0; i < 5000; ++i) (void)tally.count("opening " + std::to_string(i), 1, begin + 61s);
  CHECK(tally.count("opening ana", 2, begin + 62s) == Verdict::within);
  CHECK(tally.count("opening ana", 2, begin + 62s) == Verdict::over_first);
}

}  // namespace
