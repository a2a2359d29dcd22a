// What a bucket's node says: each recording's secrets and whatever decides its fate. The node is the truth about what
// may be destroyed. docs/format/keys.md; its file: keys/node_file.h.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "callvault/call_record.h"
#include "crypto/hash.h"
#include "crypto/secret.h"

namespace callvault::keys {

struct TrackSecret {
  TrackName name = TrackName::mixed;
  std::uint16_t segment = 0;
  crypto::Digest header_hash{};
  // s_t: 32 bytes inside the node's locked memory, or in that of whoever makes the row.
  base::ByteView secret;
};

// What a person had corrected (Art. 16). The sealed files keep what was recorded; this is what is shown and found.
// The numbers are part of the format: never renumber.
enum class CorrectedField : std::uint8_t { caller = 1, called = 2, agent = 3, call_id = 4 };
std::string_view field_name(CorrectedField field);
struct Correction {
  CorrectedField field = CorrectedField::caller;
  std::string value;  // may be empty: it is not known
};

// An erasure that waits for a hold or a restriction to end. The directory lists the recording as outstanding; this says
// for whom, and dies with the row.
struct DeferredErasure {
  Time since{};
  std::string request;  // its reference
  std::string reason;
};

struct NodeRow {
  RecordingId id;
  Time started_at{};
  Time expires_at{};
  Time consent_since{};  // since when the deciding consent is what it is; while one is pending: the start
  Basis basis = Basis::consent;
  Consent caller_consent = Consent::unknown;
  Consent agent_consent = Consent::unknown;
  bool restricted = false;
  bool in_progress = false;      // registered while the call runs, because its intake key had to go
  bool caller_shredded = false;  // that voice went alone: what is left does not rest on the caller's consent
  Flags flags;
  std::uint32_t duration_s = 0;
  std::vector<std::uint32_t> intake;  // every intake key to which a secret of this recording was sealed
  std::vector<Hold> holds;
  std::vector<TrackSecret> tracks;
  base::ByteView record_secret;           // s_0, like TrackSecret::secret
  std::vector<Correction> corrections{};  // ascending by field
  std::optional<DeferredErasure> deferred{};
};

// An opened node. Rows are views into its locked memory: they live no longer than the node.
class Node {
 public:
  // Errors: corrupt, newer_version. Every count and length is bounded.
  static Result<Node> parse(crypto::SecretBuffer plain);
  static Node empty() { return Node(); }

  std::size_t size() const { return offsets_.size(); }
  // REQUIRES: index < size(). Rows are in ascending order of id.
  Result<NodeRow> row(std::size_t index) const;
  // Of that row, without decoding the rest of it.
  Time started_at(std::size_t index) const;
  Result<std::vector<NodeRow>> rows() const;
  Result<std::optional<NodeRow>> find(const RecordingId& id) const;

 private:
  Node() = default;
  base::ByteView bytes_at(std::size_t index) const;
  RecordingId id_at(std::size_t index) const;
  crypto::SecretBuffer plain_;
  std::vector<std::uint32_t> offsets_;
};

// Sorts the rows. REQUIRES: at most kBucketCapacity of them with different ids; their views are alive. Errors: refused
// when one has more than 255 holds, tracks or intake keys, or a text longer than 65,535 bytes.
Result<crypto::SecretBuffer> encode_node(std::vector<NodeRow>& rows);

// One row of a node's plaintext; its views point into `bytes`. Errors: corrupt.
Result<NodeRow> decode_row(base::ByteView bytes);
inline constexpr std::size_t kMinRowBytes = 16 + 3 * 8 + 4 + 4 + 32 + 3;

}  // namespace callvault::keys
