#include "keys/node_file.h"

#include <algorithm>

#include "crypto/aead.h"
#include "crypto/random.h"
#include "keys/directory.h"

namespace callvault::keys {
namespace {

constexpr std::string_view kNodeMagic = "CVBUCKET";
constexpr std::uint16_t kNodeVersion = 2;  // 2 added flags to rows; 1 is read
constexpr std::size_t kSaltBytes = 24;
constexpr std::size_t kNodePrefixBytes = 8 + 2 + 2 + 4 + 8;
constexpr std::size_t kHeaderBytes = kNodePrefixBytes + kSaltBytes;
constexpr std::size_t kFirstStep = 16;  // rows; a piece holds some forty
constexpr std::size_t kSealedPieceBytes = kNodePieceBytes + crypto::kTagBytes;

std::string name_of(std::uint32_t bucket, std::uint64_t generation) {
  return "node " + std::to_string(bucket) + "." + std::to_string(generation);
}

Error damaged_node(const std::string& name) { return fail(Errc::corrupt, name + " is damaged"); }

base::Bytes node_prefix(std::uint16_t version, std::uint32_t bucket, std::uint64_t generation) {
  base::Bytes out(kNodePrefixBytes);
  base::FieldWriter w(out);
  w.bytes(base::as_bytes(kNodeMagic));
  w.number(version);
  w.number(std::uint16_t{0});
  w.number(bucket);
  w.number(generation);
  return out;
}

// Binds the pieces to the header; its salt makes it another key even if a node key were used twice.
Result<crypto::Key> piece_key(const crypto::Key& node_key, base::ByteView header) {
  return node_key.derive("callvault v1 node pieces", header);
}

std::size_t pieces_of(std::size_t plain_bytes) { return (plain_bytes + kNodePieceBytes - 1) / kNodePieceBytes; }

// How much plaintext a file of this size holds. Nothing when no node has this size.
std::optional<std::size_t> plain_size(std::uint64_t file_bytes) {
  if (file_bytes < kHeaderBytes) return std::nullopt;
  const std::uint64_t sealed = file_bytes - kHeaderBytes;
  const std::uint64_t pieces = (sealed + kSealedPieceBytes - 1) / kSealedPieceBytes;
  const std::uint64_t last = pieces == 0 ? 0 : sealed - (pieces - 1) * kSealedPieceBytes;
  if (last <= crypto::kTagBytes) return std::nullopt;
  return static_cast<std::size_t>(sealed - pieces * crypto::kTagBytes);
}

Result<void> check_header(base::ByteView header, std::uint32_t bucket, std::uint64_t generation) {
  base::FieldReader r(header);
  const bool magic = base::as_text(r.bytes(kNodeMagic.size())) == kNodeMagic;
  const auto version = r.number<std::uint16_t>();
  if (magic && r.ok() && version > kNodeVersion)
    return fail(Errc::newer_version, "a bucket node is of a newer version");
  const base::Bytes prefix = node_prefix(version, bucket, generation);
  if (version == 0 || header.size() < kHeaderBytes || !std::equal(prefix.begin(), prefix.end(), header.begin()))
    return damaged_node(name_of(bucket, generation));
  return {};
}

}  // namespace

Result<base::Bytes> seal_node(const crypto::SecretBuffer& plain, std::uint32_t bucket, std::uint64_t generation,
                              const crypto::Key& node_key) {
  base::Bytes out = node_prefix(kNodeVersion, bucket, generation);
  const std::size_t pieces = pieces_of(plain.size());
  out.resize(kHeaderBytes + plain.size() + pieces * crypto::kTagBytes);
  crypto::fill_random(base::MutableBytes(out).subspan(kNodePrefixBytes, kSaltBytes));
  CALLVAULT_TRY_ASSIGN(const auto key, piece_key(node_key, base::ByteView(out).first(kHeaderBytes)));
  for (std::size_t i = 0; i < pieces; ++i) {
    const std::size_t at = i * kNodePieceBytes;
    const std::size_t size = std::min(kNodePieceBytes, plain.size() - at);
    crypto::seal_chunk(key, i, i + 1 == pieces, plain.reveal().subspan(at, size),
                       base::MutableBytes(out).subspan(kHeaderBytes + i * kSealedPieceBytes, size + crypto::kTagBytes));
  }
  return out;
}

Result<Node> open_node(base::ByteView file, std::uint32_t bucket, std::uint64_t generation,
                       const crypto::Key& node_key) {
  CALLVAULT_TRY(check_header(file.first(std::min(file.size(), kHeaderBytes)), bucket, generation));
  const auto size = plain_size(file.size());
  if (!size) return damaged_node(name_of(bucket, generation));
  CALLVAULT_TRY_ASSIGN(const auto key, piece_key(node_key, file.first(kHeaderBytes)));
  CALLVAULT_TRY_ASSIGN(auto plain, crypto::SecretBuffer::make(*size));
  const std::size_t pieces = pieces_of(*size);
  for (std::size_t i = 0; i < pieces; ++i) {
    const auto out = plain.reveal_mutable().subspan(i * kNodePieceBytes);
    const auto piece = out.first(std::min(kNodePieceBytes, out.size()));
    const auto sealed = file.subspan(kHeaderBytes + i * kSealedPieceBytes, piece.size() + crypto::kTagBytes);
    if (!crypto::open_chunk(key, i, i + 1 == pieces, sealed, piece)) return damaged_node(name_of(bucket, generation));
  }
  return Node::parse(std::move(plain));
}

Result<NodeReader> NodeReader::open(os::File file, std::uint32_t bucket, std::uint64_t generation,
                                    const crypto::Key& node_key) {
  std::array<std::byte, kHeaderBytes> header{};
  CALLVAULT_TRY_ASSIGN(const std::size_t got, file.read_at(header, 0));
  CALLVAULT_TRY(check_header(base::ByteView(header).first(got), bucket, generation));
  CALLVAULT_TRY_ASSIGN(const auto bytes, file.size());
  const auto size = plain_size(bytes);
  NodeReader out;
  out.name_ = name_of(bucket, generation);
  if (!size || *size > kMaxNodeBytes) return damaged_node(out.name_);
  CALLVAULT_TRY_ASSIGN(out.key_, piece_key(node_key, header));
  CALLVAULT_TRY_ASSIGN(out.plain_, crypto::SecretBuffer::make_roomy(*size));
  out.opened_.resize(pieces_of(*size));
  out.file_ = std::move(file);
  CALLVAULT_TRY_ASSIGN(const auto count, out.plain(0, 4));
  out.count_ = base::FieldReader(count).number<std::uint32_t>();
  if (out.count_ > kBucketCapacity) return damaged_node(out.name_);
  return out;
}

// REQUIRES: bytes > 0.
Result<base::ByteView> NodeReader::plain(std::size_t at, std::size_t bytes) {
  if (at > plain_.size() || bytes > plain_.size() - at) return damaged_node(name_);
  for (std::size_t i = at / kNodePieceBytes; i <= (at + bytes - 1) / kNodePieceBytes; ++i) {
    if (opened_[i]) continue;
    const auto rest = plain_.reveal_mutable().subspan(i * kNodePieceBytes);
    const auto piece = rest.first(std::min(kNodePieceBytes, rest.size()));
    std::array<std::byte, kSealedPieceBytes> buffer;
    const auto sealed = base::MutableBytes(buffer).first(piece.size() + crypto::kTagBytes);
    CALLVAULT_TRY_ASSIGN(const auto got, file_.read_at(sealed, kHeaderBytes + i * kSealedPieceBytes));
    if (got != sealed.size() || !crypto::open_chunk(*key_, i, i + 1 == opened_.size(), sealed, piece)) {
      crypto::wipe(piece);
      return damaged_node(name_);
    }
    opened_[i] = true;
  }
  return plain_.reveal().subspan(at, bytes);
}

// Behind the last row: the end.
Result<std::size_t> NodeReader::row_offset(std::size_t index) {
  if (index == count_) return plain_.size();
  CALLVAULT_TRY_ASSIGN(const auto bytes, plain(4 + index * 4, 4));
  return std::size_t{base::FieldReader(bytes).number<std::uint32_t>()};
}

Result<RecordingId> NodeReader::id_at(std::size_t index) {
  CALLVAULT_TRY_ASSIGN(const auto at, row_offset(index));
  CALLVAULT_TRY_ASSIGN(const auto bytes, plain(at, RecordingId::kBytes));
  return RecordingId(base::FieldReader(bytes).array<RecordingId::kBytes>());
}

// The first row whose id is not less. Ids are random and ascend, so one that begins with the fraction f stands near row
// f * count: the search widens from there, mostly within one piece, and halves only what is left.
Result<std::size_t> NodeReader::lower_bound(const RecordingId& id) {
  std::size_t low = 0, high = count_;  // rows below `low` are less, those from `high` on are not
  std::uint64_t lead = 0;
  for (std::size_t i = 0; i < 4; ++i) lead = lead << 8 | std::to_integer<std::uint64_t>(id.bytes()[i]);
  std::size_t probe = static_cast<std::size_t>(lead * count_ >> 32);
  std::size_t step = kFirstStep;
  bool was_less = false, was_more = false;
  while (low < high) {
    CALLVAULT_TRY_ASSIGN(const auto there, id_at(probe));
    const bool less = there < id;
    (less ? low : high) = less ? probe + 1 : probe;
    (less ? was_less : was_more) = true;
    if (low >= high) break;
    if (was_less && was_more) {
      probe = low + (high - low) / 2;
    } else {
      probe = less ? std::min(low + step, high - 1) : high - std::min(step, high - low);
      step *= 2;
    }
  }
  return low;
}

std::size_t NodeReader::pieces_opened() const {
  return static_cast<std::size_t>(std::count(opened_.begin(), opened_.end(), true));
}

// A node is large, and of it a few pieces were opened.
NodeReader::~NodeReader() {
  for (std::size_t i = 0; i < opened_.size() && plain_.size() > 0; ++i) {
    if (!opened_[i]) continue;
    const auto rest = plain_.reveal_mutable().subspan(i * kNodePieceBytes);
    crypto::wipe(rest.first(std::min(kNodePieceBytes, rest.size())));
  }
  plain_.give_back_wiped();
}

Result<std::optional<NodeRow>> NodeReader::find(const RecordingId& id) {
  CALLVAULT_TRY_ASSIGN(const std::size_t low, lower_bound(id));
  if (low == count_) return std::optional<NodeRow>();
  CALLVAULT_TRY_ASSIGN(const auto there, id_at(low));
  if (there != id) return std::optional<NodeRow>();
  CALLVAULT_TRY_ASSIGN(const auto begin, row_offset(low));
  CALLVAULT_TRY_ASSIGN(const auto end, row_offset(low + 1));
  if (end < begin || end - begin < kMinRowBytes) return damaged_node(name_);
  CALLVAULT_TRY_ASSIGN(const auto bytes, plain(begin, end - begin));
  CALLVAULT_TRY_ASSIGN(auto row, decode_row(bytes));
  return std::optional<NodeRow>(std::move(row));
}

}  // namespace callvault::keys
