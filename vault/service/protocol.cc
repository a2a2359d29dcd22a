#include "service/protocol.h"

namespace callvault::service {
namespace {

constexpr std::string_view kLabel = "callvault v1 service request";
constexpr std::size_t kHeadBytes = 5;

using Head = std::array<std::byte, kHeadBytes>;

Head head_of(FrameKind kind, std::size_t payload) {
  Head out{};
  base::FieldWriter fields(out);
  fields.number(static_cast<std::uint32_t>(payload));
  fields.number(static_cast<std::uint8_t>(kind));
  return out;
}

struct ParsedHead {
  FrameKind kind = FrameKind::failed;
  std::uint32_t bytes = 0;
};

Result<ParsedHead> receive_head(os::LocalSocket& socket, std::size_t max_payload, os::Deadline deadline,
                                std::vector<os::File>* files) {
  Head head{};
  CALLVAULT_TRY(socket.receive(head, deadline, files));
  base::FieldReader fields(head);
  const auto bytes = fields.number<std::uint32_t>();
  const auto kind = fields.number<std::uint8_t>();
  if (kind < static_cast<std::uint8_t>(FrameKind::hello) || kind > static_cast<std::uint8_t>(FrameKind::secrets))
    return fail(Errc::usage, "the other side of the socket does not speak callvault's protocol");
  if (bytes > max_payload) return fail(Errc::usage, "a message on the socket is too large");
  return ParsedHead{static_cast<FrameKind>(kind), bytes};
}

}  // namespace

Result<void> send_frame(os::LocalSocket& socket, FrameKind kind, ByteView payload, os::Deadline deadline,
                        std::span<const int> files) {
  const Head head = head_of(kind, payload.size());
  CALLVAULT_TRY(files.empty() ? socket.send(head, deadline) : socket.send_with_files(head, files, deadline));
  return socket.send(payload, deadline);
}

Result<Frame> receive_frame(os::LocalSocket& socket, std::size_t max_payload, os::Deadline deadline, bool takes_files) {
  Frame out;
  CALLVAULT_TRY_ASSIGN(const auto head,
                       receive_head(socket, max_payload, deadline, takes_files ? &out.files : nullptr));
  out.kind = head.kind;
  // Grows with what has come: a length alone costs nothing.
  constexpr std::size_t kStep = std::size_t{1} << 20;
  while (out.payload.size() < head.bytes) {
    const std::size_t had = out.payload.size(), more = std::min<std::size_t>(kStep, head.bytes - had);
    out.payload.resize(had + more);
    CALLVAULT_TRY(socket.receive(base::MutableBytes(out.payload).subspan(had), deadline));
  }
  return out;
}

Result<void> send_secrets(os::LocalSocket& socket, const crypto::SecretBuffer& secrets, os::Deadline deadline) {
  return send_frame(socket, FrameKind::secrets, secrets.reveal(), deadline);
}

Result<crypto::SecretBuffer> receive_secrets(os::LocalSocket& socket, os::Deadline deadline) {
  CALLVAULT_TRY_ASSIGN(const auto head, receive_head(socket, kMaxSecretBytes, deadline, nullptr));
  if (head.kind != FrameKind::secrets) return fail(Errc::usage, "the answer on the socket is malformed");
  CALLVAULT_TRY_ASSIGN(auto out, crypto::SecretBuffer::make(head.bytes));
  CALLVAULT_TRY(socket.receive(out.reveal_mutable(), deadline));
  return out;
}

void offer_refusal(os::LocalSocket& socket, const Error& why) {
  const Bytes payload = encode_error(why);
  const Head head = head_of(FrameKind::failed, payload.size());
  Bytes whole(head.begin(), head.end());
  whole.insert(whole.end(), payload.begin(), payload.end());
  socket.offer(whole);
}

Bytes encode_hello(const Hello& hello) {
  Bytes out;
  encode(out, hello.version);
  out.insert(out.end(), hello.nonce.begin(), hello.nonce.end());
  for (const auto& text : {hello.vault, hello.origin, hello.time_zone}) encode(out, text);
  encode(out, hello.contacts);
  encode(out, hello.people);
  return out;
}

Result<Hello> decode_hello(ByteView payload) {
  Decoder in(payload);
  Hello out;
  out.version = in.get<std::uint16_t>();
  if (in.ok() && out.version != kProtocolVersion)
    return fail(Errc::newer_version, "the keeper's service speaks version " + std::to_string(out.version) +
                                         " of the protocol, this callvault " + std::to_string(kProtocolVersion));
  out.nonce = in.bytes<32>();
  for (auto* text : {&out.vault, &out.origin, &out.time_zone}) *text = in.get<std::string>();
  out.contacts = in.get<Contacts>();
  out.people = in.get<std::vector<std::string>>();
  if (!in.done()) return fail(Errc::usage, "the greeting on the socket is malformed");
  return out;
}

Bytes encode_request(const Request& request) {
  Bytes out;
  encode(out, kProtocolVersion);
  encode(out, request.verb);
  encode(out, request.person);
  out.insert(out.end(), request.signature.begin(), request.signature.end());
  encode(out, request.arguments);
  return out;
}

Result<Request> decode_request(ByteView payload) {
  Decoder in(payload);
  Request out;
  if (in.get<std::uint16_t>() != kProtocolVersion)
    return fail(Errc::newer_version, "the request is of another version of the protocol");
  out.verb = in.get<std::string>();
  out.person = in.get<std::string>();
  out.signature = in.bytes<64>();
  out.arguments = in.get<Bytes>();
  if (!in.done()) return fail(Errc::usage, "the request on the socket is malformed");
  return out;
}

Bytes signed_text(const Hello& hello, std::uint32_t uid, const Request& request) {
  Bytes body;
  encode(body, request.verb);
  encode(body, request.person);
  encode(body, request.arguments);
  const crypto::Digest hash = crypto::blake2b(body);
  Bytes out;
  encode(out, kLabel);
  encode(out, hello.origin);
  out.insert(out.end(), hello.nonce.begin(), hello.nonce.end());
  encode(out, uid);
  out.insert(out.end(), hash.begin(), hash.end());
  return out;
}

Bytes encode_error(const Error& error) {
  Bytes out;
  encode(out, error);
  return out;
}

Error decode_error(ByteView payload) {
  Decoder in(payload);
  auto error = in.get<Error>();
  if (!in.done()) return fail(Errc::unexpected, "the keeper's service failed without saying why");
  return error;
}

}  // namespace callvault::service
