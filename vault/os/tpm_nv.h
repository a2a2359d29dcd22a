// NV indices of a TPM 2.0: small memory inside the chip that is overwritten in place. By tss2-esys.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "os/file.h"

namespace callvault::os {

inline constexpr std::size_t kTpmAuthBytes = 32;

class TpmNv {
 public:
  // Whether this build has it.
  static bool available();
  // `tcti` says how to reach the chip (tss2-tctildr(7)), empty: as the host does. `auth` opens the indices; what is
  // read and written travels encrypted under it. Errors: refused (not in this build), io (no TPM, or it refuses).
  static Result<std::unique_ptr<TpmNv>> connect(const std::string& tcti, ByteView auth);

  virtual ~TpmNv() = default;
  virtual Result<bool> exists(std::uint32_t index) = 0;
  // By the owner hierarchy, with an empty owner password. Errors: refused when it is there already; io.
  virtual Result<void> define(std::uint32_t index, std::size_t bytes) = 0;
  virtual Result<void> undefine(std::uint32_t index) = 0;
  // The whole index. Errors: io; refused when the auth value is another; not_found.
  virtual Result<void> write(std::uint32_t index, ByteView data) = 0;
  virtual Result<void> read(std::uint32_t index, MutableBytes out) = 0;
};

}  // namespace callvault::os
