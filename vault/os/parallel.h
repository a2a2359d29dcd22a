// Work on many things, as far as this host has processors for it.
#pragma once

#include <cstddef>
#include <functional>

namespace callvault::os {

// Calls `work(0)` to `work(count - 1)`, once each and about in that order, from this thread and from at most `most - 1`
// others; returns when all is done. On one processor, or when no thread can be had, this thread does it alone. What
// `work` throws is thrown here, and nothing further is begun.
// REQUIRES: no call of `work` changes what another one looks at.
void in_parallel(std::size_t count, unsigned most, const std::function<void(std::size_t)>& work);

}  // namespace callvault::os
