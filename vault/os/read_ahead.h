// Tells the kernel what will be read next, so that the disk works while this process does.
#pragma once

#include "os/file.h"

namespace callvault::os {

// Begins to fetch that part of the file and does not wait for it. Advice: nothing depends on it.
void read_ahead(const File& file, std::uint64_t offset, std::uint64_t bytes);
// The same for the start of a file by its name; no error when it cannot be opened.
void read_ahead(const Path& path, std::uint64_t bytes);

}  // namespace callvault::os
