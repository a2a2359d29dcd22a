// What a client sends before it has shown who it is, and the arguments of every kind of verb: what decodes is encoded
// to bytes that decode to the same.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "callvault/options.h"
#include "callvault/query.h"
#include "callvault/rights.h"
#include "service/protocol.h"

namespace {

using namespace callvault;

template <typename T>
void try_as(service::ByteView bytes) {
  service::Decoder in(bytes);
  const T value = in.get<T>();
  if (!in.done()) return;
  service::Bytes once;
  service::encode(once, value);
  if (!std::ranges::equal(once, bytes)) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = std::as_bytes(std::span(data, size));
  if (const auto request = service::decode_request(bytes)) {
    if (!std::ranges::equal(service::encode_request(*request), bytes)) std::abort();
    try_as<Query>(request->arguments);
    try_as<PlayOptions>(request->arguments);
    try_as<EraseOptions>(request->arguments);
    try_as<RequestOptions>(request->arguments);
    try_as<PersonOptions>(request->arguments);
  }
  // The client's side of it: a service that is not to be trusted either.
  (void)service::decode_hello(bytes);
  (void)service::decode_error(bytes);
  try_as<CallRecord>(bytes);
  try_as<std::vector<Request>>(bytes);
  try_as<ProofReport>(bytes);
  return 0;
}
