// Identity files of a hostile author. What parses is rewritten, and must parse again to the same facts.
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "crypto/random.h"
#include "keys/identity.h"

namespace {

using namespace callvault;

void require(bool condition) {
  if (!condition) std::abort();
}

Passphrase passphrase() {
  std::array<char, 4> text = {'f', 'u', 'z', 'z'};
  auto out = Passphrase::take(text);
  require(out.has_value());
  return std::move(*out);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const bool ready = crypto::ready().has_value();
  require(ready);
  static const Passphrase secret = passphrase();
  static const auto review = crypto::Key::random();
  const auto file = std::as_bytes(std::span(data, size));

  const auto facts = keys::inspect_identity(file, {});
  if (!facts) return 0;
  const auto cleared = keys::without_review_keys(file);
  require(cleared.has_value());
  const auto after = keys::inspect_identity(*cleared, facts->public_part.name);
  require(after.has_value() && after->public_part == facts->public_part && after->cost == facts->cost &&
          after->review_numbers.empty());
  // A hostile box key may be unusable.
  if (const auto granted = keys::with_review_key(*cleared, 7, *review)) {
    const auto again = keys::inspect_identity(*granted, {});
    require(again.has_value() && again->review_numbers.size() == 1);
  }
  // The derivation is bounded but slow; only cheap ones are worth repeating.
  if (facts->cost.passes == 1 && facts->cost.memory_kib <= 64)
    (void)keys::unlock_identity(file, facts->public_part.name, secret).has_value();
  return 0;
}
