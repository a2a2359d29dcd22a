// SIPREC metadata of a recorder nobody vouches for: whatever comes, only known names with a value are taken.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <set>

#include "cli/siprec.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using callvault::cli::read_siprec;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::set<std::string> known{"caller", "called", "agent", "call_id", "started_at"};
  for (const char* direction : {"in", "out"}) {
    const auto values = read_siprec(text, {{"direction", direction}});
    if (!values) continue;
    for (const auto& [name, value] : *values)
      if (!known.contains(name) || value.empty()) std::abort();
    if (!values->contains("call_id") || !values->contains("started_at")) std::abort();
    // What it calls numbers are numbers.
    for (const char* name : {"caller", "called"})
      if (values->contains(name) && values->at(name).find_first_not_of("+0123456789") != std::string::npos)
        std::abort();
  }
  return 0;
}
