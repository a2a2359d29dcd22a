// Copies that can be believed: a file appears whole and durable under its name, or not at all. The caller syncs the
// folder.
#pragma once

#include <optional>

#include "os/file.h"

namespace callvault::os {

// What an interrupted copy leaves has a name that ends so.
inline constexpr std::string_view kCopyingSuffix = ".copying";

struct CopyResult {
  std::uint64_t bytes = 0;
  std::optional<Error> unreadable;  // the source could not be read, and nothing was made
};
// Replaces what has the name `to`. Errors: of the target alone.
Result<CopyResult> copy_file(const Path& from, const Path& to, unsigned mode = 0600);
Result<void> place_file(const Path& to, ByteView data, unsigned mode = 0600);

// Errors: of either.
Result<bool> same_content(const Path& a, const Path& b);

// The group that recorders share a folder by, when it gives its group anything.
Result<std::optional<std::string>> group_with_access(const Path& folder);

}  // namespace callvault::os
