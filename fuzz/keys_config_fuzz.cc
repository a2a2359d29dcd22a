// vault.toml of a hostile author: what parses has a default class, and means the same when written and read again.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>

#include "keys/config.h"

namespace {

void require(bool condition) {
  if (!condition) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace callvault;
  const auto config = keys::parse_config(base::as_text(std::as_bytes(std::span(data, size))));
  if (!config) return 0;
  require(config->period_of("default").has_value());
  const auto text = keys::write_config(*config);
  const auto again = keys::parse_config(text);
  require(again.has_value() && keys::write_config(*again) == text && again->organisation == config->organisation &&
          again->classes.size() == config->classes.size() && again->keeper == config->keeper);
  return 0;
}
