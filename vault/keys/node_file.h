// A node's file: immutable, sealed under a key of its own, in pieces, so that one recording's row is read and opened
// without the thousands beside it. Bytes: docs/format/keys.md.
#pragma once

#include <string>
#include <vector>

#include "keys/node.h"
#include "os/file.h"

namespace callvault::keys {

inline constexpr std::size_t kNodePieceBytes = 8192;                 // of plaintext; the last may be shorter
inline constexpr std::size_t kMaxNodeBytes = std::size_t{64} << 20;  // of a file

Result<base::Bytes> seal_node(const crypto::SecretBuffer& plain, std::uint32_t bucket, std::uint64_t generation,
                              const crypto::Key& node_key);
// All of it. Errors: corrupt, newer_version.
Result<Node> open_node(base::ByteView file, std::uint32_t bucket, std::uint64_t generation,
                       const crypto::Key& node_key);

// Single rows: opens only the pieces that a search touches. What it gives is authenticated as `open_node` does; damage
// elsewhere in the file goes unseen.
class NodeReader {
 public:
  // Of a bucket without a node: finds nothing.
  NodeReader() = default;
  NodeReader(NodeReader&&) noexcept = default;
  NodeReader& operator=(NodeReader&&) = delete;
  ~NodeReader();
  // Errors: corrupt, newer_version, io.
  static Result<NodeReader> open(os::File file, std::uint32_t bucket, std::uint64_t generation,
                                 const crypto::Key& node_key);
  // The row's views live as long as this reader. Errors: corrupt, io.
  Result<std::optional<NodeRow>> find(const RecordingId& id);
  // How much of the file was opened. Ids are random, so where a row stands can be guessed: about three a search.
  std::size_t pieces_opened() const;

 private:
  Result<std::size_t> lower_bound(const RecordingId& id);
  Result<base::ByteView> plain(std::size_t at, std::size_t bytes);
  Result<std::size_t> row_offset(std::size_t index);
  Result<RecordingId> id_at(std::size_t index);

  os::File file_;
  std::optional<crypto::Key> key_;
  std::string name_;
  crypto::SecretBuffer plain_;
  std::vector<bool> opened_;  // which pieces of plain_ are there
  std::size_t count_ = 0;
};

}  // namespace callvault::keys
