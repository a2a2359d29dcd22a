// Releases on their way from the keeper side to the reviewer's process, which may be one and the same.
#pragma once

#include <vector>

#include "callvault/vault.h"
#include "review/release.h"
#include "service/codec.h"

namespace callvault {

// The keeper side of `play`: first the journal, then the secrets.
Result<review::Release> release_recording(Vault& vault, const Person& person, const PlayOptions& options);
// The same by the keeper's service.
Result<review::Release> fetch_release(const Vault::Impl& vault, const Person& person, const PlayOptions& options);

// A release as it crosses the socket: what is no secret, the open files, and the secrets in locked memory.
struct ReleaseParcel {
  service::Bytes plain;
  std::vector<os::File> files;
  crypto::SecretBuffer secrets;
};

Result<ReleaseParcel> pack(review::Release release);
// Errors: unexpected, when the parts do not belong together.
Result<review::Release> unpack(ReleaseParcel parcel);

}  // namespace callvault
