// A node's plaintext: what can be read in full is encoded to the same bytes, and is found by its id.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "crypto/random.h"
#include "keys/node.h"

namespace {

void require(bool condition) {
  if (!condition) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace callvault;
  static const bool ready = crypto::ready().has_value();
  require(ready);
  const auto bytes = std::as_bytes(std::span(data, size));
  auto plain = crypto::SecretBuffer::copy_of(bytes);
  // More than this process may lock.
  if (!plain) return 0;
  const auto node = keys::Node::parse(std::move(*plain));
  if (!node) return 0;
  auto rows = node->rows();
  if (!rows) return 0;
  for (const auto& row : *rows) {
    const auto found = node->find(row.id);
    require(found.has_value() && found->has_value() && (*found)->id == row.id);
  }
  const auto again = keys::encode_node(*rows);
  require(again.has_value() && std::ranges::equal(again->reveal(), bytes));
  return 0;
}
