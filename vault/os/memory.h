// Pages that are never swapped, dumped or inherited by a child.
#pragma once

#include "base/bytes.h"
#include "callvault/result.h"

namespace callvault::os {

using base::MutableBytes;

// Whole pages, zero-filled, mlocked (checked: libsodium 1.0.18 would not say), left out of dumps, wiped on fork.
Result<MutableBytes> map_locked(std::size_t bytes);
// The caller has wiped it.
void unmap_locked(MutableBytes pages);
std::size_t page_bytes();

}  // namespace callvault::os
