#include "keys/open_keeper.h"

#include "keys/file_keeper.h"
#include "keys/tpm_keeper.h"

namespace callvault::keys {

Result<std::unique_ptr<Keeper>> open_keeper(const os::Path& folder) {
  auto tpm = TpmKeeper::open(folder);
  if (tpm) return std::unique_ptr<Keeper>(std::move(*tpm));
  if (tpm.error().code != Errc::not_found) return std::move(tpm).error();
  auto file = FileKeeper::open(folder);
  if (!file) return std::move(file).error();
  return std::unique_ptr<Keeper>(std::move(*file));
}

void take_back_keeper(const os::Path& folder) {
  TpmKeeper::take_back(folder);
  FileKeeper::take_back(folder);
}

}  // namespace callvault::keys
