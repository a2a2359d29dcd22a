#include "keys/open_keeper.h"

#include "keys/file_keeper.h"
#include "keys/tpm_keeper.h"

namespace callvault::keys {
namespace {

class LostKeeper final : public Keeper {
 public:
  LostKeeper(os::Path folder, Error why) : folder_(std::move(folder)), why_(std::move(why)) {}

  Result<std::vector<KeeperSlot>> read() override { return why_; }
  Result<KeeperSlot> stage(std::uint64_t, std::optional<std::uint64_t>) override { return why_; }
  Result<void> wipe_all_but(std::uint64_t) override { return why_; }
  Result<void> wipe_all() override { return why_; }
  Result<bool> unfinished() override { return why_; }
  KeeperDescription describe() const override {
    return {"missing", folder_.string(), "unknown", false, why_.message, std::string(kLogicallyErased)};
  }

 private:
  os::Path folder_;
  Error why_;
};

}  // namespace

std::unique_ptr<Keeper> lost_keeper(const os::Path& folder, Error why) {
  return std::make_unique<LostKeeper>(folder, std::move(why));
}

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
