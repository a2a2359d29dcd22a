// What the host may leak, for `callvault doctor`. Every fact is best effort: what cannot be read is left empty.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "os/file.h"

namespace callvault::os {

enum class SwapProtection : std::uint8_t { encrypted, memory, plain, unknown };

struct SwapArea {
  std::string name;  // "/dev/dm-1", "/swapfile"
  SwapProtection protection = SwapProtection::unknown;
};

struct HostFacts {
  std::vector<SwapArea> swaps;  // none: no swap in use
  std::string core_pattern;
  std::uint64_t core_limit = 0;  // bytes; ~0 means without limit
  std::optional<bool> dumpable;  // PR_GET_DUMPABLE of this process
  std::uint64_t locked_memory_limit = 0;
  std::optional<bool> clock_synchronised;  // the kernel's word for it (adjtimex)
  std::optional<int> ptrace_scope;         // Yama: 0 any process of the same user may trace
  std::optional<std::string> hypervisor;   // set when this looks like a virtual machine: memory may be snapshotted
};
HostFacts examine_host();
// The text of /proc/swaps.
std::vector<SwapArea> parse_swaps(std::string_view text);

struct LoosePath {
  Path path;
  unsigned mode = 0;        // permission bits
  std::uint32_t owner = 0;  // user id
  bool others_read = false, others_write = false, other_owner = false;
};
// Those of `paths` that their group or the world may read or write, or that belong to somebody else than this process
// (and not to root). Missing ones are passed over; links are followed.
std::vector<LoosePath> loose_paths(std::span<const Path> paths);

// True when `path` is `folder` or lies below it once links are resolved; neither needs to exist.
bool is_inside(const Path& path, const Path& folder);

}  // namespace callvault::os
