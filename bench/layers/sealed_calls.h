// Sealed files of calls that nobody spoke: real headers, chunks and trailers, written without a sync.
#pragma once

#include "catalog/row.h"
#include "keys/node.h"
#include "keys/recorder_view.h"

namespace callvault {

class SealedCalls {
 public:
  // `chunks`: of each call.
  static Result<SealedCalls> open(const os::Path& vault, std::size_t chunks);

  // Writes folder/<name> with the secrets of `node` (of its first track) and what `row` says of the call. Gives the
  // hash of its header.
  Result<crypto::Digest> write(const os::Path& folder, const keys::NodeRow& node, const catalog::Row& row) const;

 private:
  SealedCalls(keys::RecorderView view, keys::IntakeLease lease, std::size_t chunks)
      : view_(std::move(view)), lease_(std::move(lease)), chunks_(chunks) {}
  keys::RecorderView view_;
  keys::IntakeLease lease_;
  std::size_t chunks_;
};

}  // namespace callvault
