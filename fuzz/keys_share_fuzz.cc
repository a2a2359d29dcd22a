// A share of the review key, typed by people: what decodes is encoded to text that decodes to the same.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "keys/review_share.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace callvault;
  const auto share = keys::decode_share({reinterpret_cast<const std::byte*>(data), size});
  if (!share) return 0;
  const auto text = keys::encode_share(*share);
  const auto again = text ? keys::decode_share(text->reveal()) : Result<keys::ReviewShare>(text.error());
  if (!again || again->vault != share->vault || again->of != share->of || again->number != share->number) std::abort();
  const auto same = [](const keys::ReviewPart& a, const keys::ReviewPart& b) {
    return a.key_number == b.key_number && std::ranges::equal(a.part.reveal(), b.part.reveal());
  };
  if (!std::ranges::equal(again->parts, share->parts, same)) std::abort();
  return 0;
}
