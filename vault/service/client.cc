#include "service/client.h"

#include "os/child.h"

namespace callvault::service {
namespace {

constexpr std::chrono::seconds kGreetingPatience{15};
// Longer than a verb waits for the vault's lock.
constexpr std::chrono::minutes kAnswerPatience{10};

bool same_folder(const os::Path& a, const os::Path& b) {
  std::error_code error;
  return a == b || std::filesystem::equivalent(a, b, error);
}

}  // namespace

Result<Client> Client::meet(const os::Path& socket, const os::Path& vault) {
  Client out(socket, vault);
  CALLVAULT_TRY(out.connect(out.hello_));
  return out;
}

Result<os::LocalSocket> Client::connect(Hello& hello) const {
  CALLVAULT_TRY_ASSIGN(auto socket, os::LocalSocket::connect(socket_));
  // Whoever else listens there would learn what is asked.
  CALLVAULT_TRY_ASSIGN(const auto peer, socket.peer());
  CALLVAULT_TRY_ASSIGN(const auto owner, os::owner_of(vault_));
  if (peer.uid != owner && peer.uid != 0)
    return fail(Errc::refused, socket_.string() + " is not served by the account of " + vault_.string());
  CALLVAULT_TRY_ASSIGN(const auto frame, receive_frame(socket, kMaxRequestBytes, os::within(kGreetingPatience)));
  if (frame.kind == FrameKind::failed) return decode_error(frame.payload);
  if (frame.kind != FrameKind::hello) return malformed();
  CALLVAULT_TRY_ASSIGN(hello, decode_hello(frame.payload));
  if (!same_folder(hello.vault, vault_))
    return fail(Errc::no_vault, socket_.string() + " serves another vault than " + vault_.string());
  return socket;
}

Result<Answer> Client::ask(std::string_view verb, const Signer* signer, Bytes arguments) const {
  Hello hello;
  CALLVAULT_TRY_ASSIGN(auto socket, connect(hello));
  if (hello.origin != hello_.origin) return fail(Errc::no_vault, socket_.string() + " serves another vault now");
  Request request{std::string(verb), signer != nullptr ? signer->name : "", {}, std::move(arguments)};
  if (signer != nullptr) request.signature = crypto::sign(signer->seed, signed_text(hello, os::own_uid(), request));
  const Bytes payload = encode_request(request);
  if (payload.size() > kMaxRequestBytes) return fail(Errc::usage, "the request is too large");
  CALLVAULT_TRY(send_frame(socket, FrameKind::request, payload, os::within(kGreetingPatience)));
  const auto deadline = os::within(kAnswerPatience);
  Answer out;
  std::size_t bytes = 0;
  for (;;) {
    CALLVAULT_TRY_ASSIGN(auto frame, receive_frame(socket, kMaxAnswerBytes, deadline, true));
    switch (frame.kind) {
      case FrameKind::item:
        bytes += frame.payload.size();
        if (bytes > kMaxItemsBytes) return malformed();
        out.items.push_back(std::move(frame.payload));
        break;
      case FrameKind::released: {
        out.files = std::move(frame.files);
        CALLVAULT_TRY_ASSIGN(out.secrets, receive_secrets(socket, deadline));
        out.result = std::move(frame.payload);
        return out;
      }
      case FrameKind::done:
        out.result = std::move(frame.payload);
        return out;
      case FrameKind::failed:
        return decode_error(frame.payload);
      default:
        return malformed();
    }
  }
}

}  // namespace callvault::service
