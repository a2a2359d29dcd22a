// What a hostile client may say to the keeper's service, one thing at a time: for separation.py.
//
// service_probe SOCKET NAME PASSPHRASE-FILE ID TRACK HOW
//   HOW: honest | unsigned | wrong_key | wrong_uid | tampered | replayed | other_person | other_vault | unread | a
//   path:
//        the identity is taken from there
// Prints "released <files> <secrets>" or "failed <code> <message>" of a request to play.
#include <fmt/format.h>

#include <fstream>
#include <iterator>
#include <thread>

#include "callvault/options.h"
#include "callvault/process.h"
#include "callvault/query.h"
#include "keys/identity.h"
#include "os/child.h"
#include "service/client.h"

namespace {

using namespace callvault;
using service::FrameKind;

struct Line {
  os::LocalSocket socket;
  service::Hello hello;
};

Result<Line> greet(const std::string& path) {
  CALLVAULT_TRY_ASSIGN(auto socket, os::LocalSocket::connect(path));
  CALLVAULT_TRY_ASSIGN(const auto frame, service::receive_frame(socket, 1 << 20, os::within(std::chrono::seconds(20))));
  if (frame.kind == FrameKind::failed) return service::decode_error(frame.payload);
  CALLVAULT_TRY_ASSIGN(auto hello, service::decode_hello(frame.payload));
  return Line{std::move(socket), std::move(hello)};
}

Result<service::Frame> exchange(Line& line, const service::Request& request) {
  const auto deadline = os::within(std::chrono::seconds(40));
  CALLVAULT_TRY(service::send_frame(line.socket, FrameKind::request, encode_request(request), deadline));
  CALLVAULT_TRY_ASSIGN(auto frame, service::receive_frame(line.socket, service::kMaxAnswerBytes, deadline, true));
  if (frame.kind == FrameKind::failed) return service::decode_error(frame.payload);
  return frame;
}

std::string text_of(const std::string& path) {
  std::ifstream stream(path);
  return {(std::istreambuf_iterator<char>(stream)), {}};
}

Result<service::Bytes> fetch(const std::string& path, const std::string& name) {
  CALLVAULT_TRY_ASSIGN(auto line, greet(path));
  service::Request request{"identity", "", {}, {}};
  service::encode(request.arguments, name);
  CALLVAULT_TRY_ASSIGN(const auto frame, exchange(line, request));
  service::Decoder in(frame.payload);
  return in.get<service::Bytes>();
}

Result<keys::Identity> unlock(std::span<char*> words) {
  const std::string name = words[2], how = words[6];
  CALLVAULT_TRY_ASSIGN(const auto identity,
                       how[0] == '/' ? Result(base::to_bytes(base::as_bytes(text_of(how)))) : fetch(words[1], name));
  std::string text = text_of(words[3]);
  CALLVAULT_TRY_ASSIGN(const auto passphrase, Passphrase::take(std::span(text.data(), text.find('\n'))));
  return keys::unlock_identity(identity, name, passphrase);
}

Result<std::string> ask(std::span<char*> words) {
  const std::string path = words[1], name = words[2], how = words[6];
  CALLVAULT_TRY_ASSIGN(const auto identity, unlock(words));
  PlayOptions options;
  CALLVAULT_TRY_ASSIGN(options.id, RecordingId::parse(words[4]));
  options.track = std::string_view(words[5]) == "caller" ? TrackChoice::caller : TrackChoice::both;
  options.purpose = Purpose::complaint;
  CALLVAULT_TRY_ASSIGN(auto line, greet(path));
  service::Request request{"play", name, {}, {}};
  service::encode(request.arguments, options);
  const auto sign = [&](service::Hello hello, std::uint32_t uid, const crypto::Key& key) {
    if (how == "other_vault") hello.origin = "callvault/0000000000000000";
    request.signature = crypto::sign(key, signed_text(hello, uid, request));
  };
  CALLVAULT_TRY_ASSIGN(const auto other, crypto::Key::random());
  if (how == "other_person") request.person = "somebody";
  if (how != "unsigned")
    sign(line.hello, os::own_uid() + (how == "wrong_uid" ? 1 : 0),
         how == "wrong_key" ? other : identity.signing_seed());
  if (how == "tampered") request.arguments[16] = std::byte{0};  // another track
  if (how == "replayed") {
    CALLVAULT_TRY(exchange(line, request));
    CALLVAULT_TRY_ASSIGN(line, greet(path));
  }
  if (how == "unread") {
    service::Request listing{"find", name, {}, {}};
    service::encode(listing.arguments, Query{});
    listing.signature = crypto::sign(identity.signing_seed(), signed_text(line.hello, os::own_uid(), listing));
    CALLVAULT_TRY(service::send_frame(line.socket, FrameKind::request, encode_request(listing),
                                      os::within(std::chrono::seconds(9))));
    std::this_thread::sleep_for(std::chrono::seconds(5));
    return std::string("slept");
  }
  CALLVAULT_TRY_ASSIGN(const auto frame, exchange(line, request));
  if (frame.kind != FrameKind::released) return fail(Errc::unexpected, "no release");
  CALLVAULT_TRY_ASSIGN(const auto secrets, service::receive_secrets(line.socket, os::within(std::chrono::seconds(9))));
  return fmt::format("released {} {}", frame.files.size(), secrets.size() / crypto::Key::kBytes);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 7 || !harden_process()) return 2;
  const auto said = ask(std::span(argv, static_cast<std::size_t>(argc)));
  fmt::print("{}\n", said ? *said : fmt::format("failed {} {}", errc_name(said.error().code), said.error().message));
  return 0;
}
