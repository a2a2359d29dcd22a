#include "context/folders.h"

namespace callvault::context {

Result<void> make_folders(const base::Layout& layout, const std::string& group) {
  for (const auto& folder :
       {layout.keys(), layout.buckets(), layout.intake(), layout.people(), layout.incoming(), layout.recordings()})
    CALLVAULT_TRY(os::make_folder(folder));
  if (group.empty()) return {};
  // What recorders need, by group: pass through the vault and keys/, read keys/intake, write incoming/.
  for (const auto& [folder, mode] : {std::pair{layout.root, 0710U}, std::pair{layout.keys(), 0710U},
                                     std::pair{layout.intake(), 02750U}, std::pair{layout.incoming(), 03770U}}) {
    CALLVAULT_TRY(os::set_group(folder, group));
    CALLVAULT_TRY(os::set_mode(folder, mode));
  }
  return {};
}

Result<void> share_file(const os::Path& path, const std::string& group) {
  if (group.empty()) return {};
  CALLVAULT_TRY(os::set_group(path, group));
  return os::set_mode(path, 0640);
}

}  // namespace callvault::context
