#include "os/tree.h"

#include <system_error>

namespace callvault::os {

Result<TreeSize> size_of_tree(const Path& folder) {
  namespace fs = std::filesystem;
  TreeSize out;
  std::error_code error;
  fs::recursive_directory_iterator it(folder, error), end;
  if (error == std::errc::no_such_file_or_directory) return out;
  for (; !error && it != end; it.increment(error)) {
    std::error_code vanished;
    if (!it->is_regular_file(vanished) || it->is_symlink(vanished)) continue;
    const auto bytes = it->file_size(vanished);
    if (vanished) continue;
    ++out.files;
    out.bytes += bytes;
  }
  if (error && error != std::errc::no_such_file_or_directory) return system_error(error.value(), "cannot list", folder);
  return out;
}

}  // namespace callvault::os
