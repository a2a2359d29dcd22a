// A keeper in two NV indices of a TPM 2.0: their contents are the root keys, never a sealed blob, since an old blob
// would open again. The keeper's folder says only where they are, and holds their auth value. Bytes:
// docs/format/keeper.md.
#pragma once

#include <memory>

#include "keys/keeper.h"
#include "os/tpm_nv.h"

namespace callvault::keys {

struct TpmPlace {
  std::uint32_t index = 0;  // of slot 0; slot 1 is the next
  std::string tcti;         // how to reach the chip; empty: as the host does
};

// "tpm:0x01800100", or "tpm:0x01800100,swtpm:path=/run/tpm": what --keeper takes. Nothing when it does not begin with
// tpm:. Errors: usage.
Result<std::optional<TpmPlace>> parse_tpm_place(const std::string& text);

class TpmKeeper final : public Keeper {
 public:
  // How a chip is reached: os::TpmNv::connect.
  using Connect = Result<std::unique_ptr<os::TpmNv>> (*)(const std::string& tcti, base::ByteView auth);

  // Defines both indices, and describes them in `folder` (mode 0700), without a root. Errors: refused when a keeper is
  // there already or an index is in use; io.
  static Result<std::unique_ptr<TpmKeeper>> create(const os::Path& folder, const TpmPlace& place,
                                                   Connect connect = os::TpmNv::connect);
  // Errors: not_found when `folder` describes none; corrupt, newer_version, io, refused.
  static Result<std::unique_ptr<TpmKeeper>> open(const os::Path& folder, Connect connect = os::TpmNv::connect);
  // Undoes a `create` of a vault that could not be made.
  static void take_back(const os::Path& folder, Connect connect = os::TpmNv::connect);

  Result<std::vector<KeeperSlot>> read() override;
  Result<KeeperSlot> stage(std::uint64_t epoch, std::optional<std::uint64_t> current_epoch) override;
  Result<void> wipe_all_but(std::uint64_t epoch) override;
  Result<void> wipe_all() override;
  Result<bool> unfinished() override;
  KeeperDescription describe() const override;

 private:
  struct Slot;
  TpmKeeper(std::unique_ptr<os::TpmNv> chip, TpmPlace place) : chip_(std::move(chip)), place_(std::move(place)) {}
  Result<Slot> load_slot(std::uint32_t number);
  Result<void> store_slot(std::uint32_t number, const crypto::SecretBuffer& content);
  Result<void> wipe_slot(std::uint32_t number);
  Result<std::uint32_t> find_sound_slot(std::uint64_t epoch);
  std::string name() const;

  std::unique_ptr<os::TpmNv> chip_;
  TpmPlace place_;
};

}  // namespace callvault::keys
