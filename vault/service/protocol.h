// What is said on the service's socket: one greeting, one signed request, its answer. docs/format/service.md.
#pragma once

#include <string>
#include <vector>

#include "callvault/rights.h"
#include "crypto/hash.h"
#include "crypto/sign.h"
#include "os/local_socket.h"
#include "service/codec.h"

namespace callvault::service {

// Both ends must be of one version: values are not named on the wire. Raise it with any change of a public struct that
// crosses, once released.
inline constexpr std::uint16_t kProtocolVersion = 1;
inline constexpr std::size_t kMaxRequestBytes = std::size_t{1} << 20;
inline constexpr std::size_t kMaxAnswerBytes = std::size_t{64} << 20;  // of one frame
inline constexpr std::size_t kMaxItemsBytes = std::size_t{256} << 20;  // of all items of an answer

enum class FrameKind : std::uint8_t { hello = 1, request, item, done, failed, released, secrets };

struct Frame {
  FrameKind kind = FrameKind::failed;
  Bytes payload;
  std::vector<os::File> files;
};

// A frame is its payload's length (u32), its kind (u8), and the payload.
Result<void> send_frame(os::LocalSocket& socket, FrameKind kind, ByteView payload, os::Deadline deadline,
                        std::span<const int> files = {});
// Errors: busy at the deadline; io when the other side is gone; usage when it is no frame or too large. Files are taken
// along only if `takes_files`.
Result<Frame> receive_frame(os::LocalSocket& socket, std::size_t max_payload, os::Deadline deadline,
                            bool takes_files = false);
// A frame of secrets, which stand in locked memory on both sides.
inline constexpr std::size_t kMaxSecretBytes = std::size_t{32} * 1024;
Result<void> send_secrets(os::LocalSocket& socket, const crypto::SecretBuffer& secrets, os::Deadline deadline);
Result<crypto::SecretBuffer> receive_secrets(os::LocalSocket& socket, os::Deadline deadline);
// A refusal that nobody waits for the peer to read.
void offer_refusal(os::LocalSocket& socket, const Error& why);

using Nonce = std::array<std::byte, 32>;

struct Hello {
  std::uint16_t version = 0;
  Nonce nonce{};
  std::string vault;                // the folder that is served
  std::string origin;               // of its journal: names this vault among all
  std::string time_zone;            // IANA name
  Contacts contacts;                // for refusals
  std::vector<std::string> people;  // for whom this account may speak
};
Bytes encode_hello(const Hello& hello);
Result<Hello> decode_hello(ByteView payload);

struct Request {
  std::string verb;
  std::string person;  // empty: the account itself asks, and nothing is signed
  crypto::Signature signature{};
  Bytes arguments;
};
Bytes encode_request(const Request& request);
// Errors: usage.
Result<Request> decode_request(ByteView payload);

// What a person signs: this request, to this vault, answering this greeting, from this account.
Bytes signed_text(const Hello& hello, std::uint32_t uid, const Request& request);

Bytes encode_error(const Error& error);
Error decode_error(ByteView payload);

}  // namespace callvault::service
