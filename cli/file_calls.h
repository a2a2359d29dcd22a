// System calls on files, until no signal comes in between.
#pragma once

#include <string_view>

namespace callvault::cli {

// open(2), interrupted or not; never a terminal of this process's own. -1 with errno set.
int open_file(const char* path, int flags, unsigned mode = 0);
// fsync(2), interrupted or not; fine for what cannot be synced. False with errno set else.
bool sync_file(int fd);
// Writes all of `text`; false with errno set else.
bool write_all(int fd, std::string_view text);

}  // namespace callvault::cli
