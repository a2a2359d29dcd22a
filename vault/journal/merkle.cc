#include "journal/merkle.h"

#include <bit>
#include <string>

namespace callvault::journal {
namespace {

using crypto::Digest;

// The largest power of two below `size`. REQUIRES: size >= 2.
std::uint64_t split_of(std::uint64_t size) { return std::bit_floor(size - 1); }

}  // namespace

Digest leaf_hash(std::string_view line) {
  constexpr std::size_t kSmall = 4096;
  if (line.size() < kSmall) {
    std::array<std::byte, kSmall> room;  // NOLINT: the part that is used is written
    room[0] = std::byte{0};
    std::memcpy(room.data() + 1, line.data(), line.size());
    return crypto::sha256(base::ByteView(room).first(line.size() + 1));
  }
  base::Bytes room;
  room.reserve(line.size() + 1);
  room.push_back(std::byte{0});
  const auto bytes = base::as_bytes(line);
  room.insert(room.end(), bytes.begin(), bytes.end());
  return crypto::sha256(room);
}

Digest node_hash(const Digest& left, const Digest& right) {
  std::array<std::byte, 65> room{};
  room[0] = std::byte{1};
  std::copy(left.begin(), left.end(), room.begin() + 1);
  std::copy(right.begin(), right.end(), room.begin() + 33);
  return crypto::sha256(room);
}

Digest empty_root() { return crypto::sha256({}); }

bool verify_inclusion(const Digest& leaf, std::uint64_t index, const Head& head, std::span<const Digest> proof) {
  if (index >= head.size) return false;
  std::uint64_t fn = index;
  std::uint64_t sn = head.size - 1;
  Digest r = leaf;
  for (const Digest& p : proof) {
    if (sn == 0) return false;
    if ((fn & 1) != 0 || fn == sn) {
      r = node_hash(p, r);
      while ((fn & 1) == 0 && fn != 0) {
        fn >>= 1;
        sn >>= 1;
      }
    } else {
      r = node_hash(r, p);
    }
    fn >>= 1;
    sn >>= 1;
  }
  return sn == 0 && r == head.root;
}

bool verify_consistency(const Head& old_head, const Head& new_head, std::span<const Digest> proof) {
  if (old_head.size > new_head.size) return false;
  if (old_head.size == new_head.size) return proof.empty() && old_head.root == new_head.root;
  if (old_head.size == 0) return proof.empty() && old_head.root == empty_root();
  // A complete old tree is its own first node, which the proof leaves out.
  const bool complete = std::has_single_bit(old_head.size);
  if (!complete && proof.empty()) return false;
  std::uint64_t fn = old_head.size - 1;
  std::uint64_t sn = new_head.size - 1;
  while ((fn & 1) != 0) {
    fn >>= 1;
    sn >>= 1;
  }
  Digest fr = complete ? old_head.root : proof.front();
  Digest sr = fr;
  for (const Digest& c : proof.subspan(complete ? 0 : 1)) {
    if (sn == 0) return false;
    if ((fn & 1) != 0 || fn == sn) {
      fr = node_hash(c, fr);
      sr = node_hash(c, sr);
      while ((fn & 1) == 0 && fn != 0) {
        fn >>= 1;
        sn >>= 1;
      }
    } else {
      sr = node_hash(sr, c);
    }
    fn >>= 1;
    sn >>= 1;
  }
  return sn == 0 && fr == old_head.root && sr == new_head.root;
}

void TreeBuilder::add(const Digest& leaf, std::vector<Digest>* stored) {
  Digest node = leaf;
  if (stored != nullptr) stored->push_back(node);
  for (std::uint64_t n = size_; (n & 1) != 0; n >>= 1) {
    node = node_hash(peaks_.back(), node);
    peaks_.pop_back();
    if (stored != nullptr) stored->push_back(node);
  }
  peaks_.push_back(node);
  ++size_;
}

Head TreeBuilder::head() const {
  if (peaks_.empty()) return {.size = 0, .root = empty_root()};
  Digest root = peaks_.back();
  for (std::size_t i = peaks_.size() - 1; i-- > 0;) root = node_hash(peaks_[i], root);
  return {.size = size_, .root = root};
}

// Every leaf, every pair, every four ... that is complete.
std::uint64_t stored_count(std::uint64_t leaves) {
  return 2 * leaves - static_cast<std::uint64_t>(std::popcount(leaves));
}

std::uint64_t stored_position(unsigned level, std::uint64_t index) {
  const std::uint64_t last_leaf = ((index + 1) << level) - 1;
  return stored_count(last_leaf) + level;
}

Result<TreeBuilder> Tree::builder_at(std::uint64_t size) const {
  TreeBuilder out;
  out.size_ = size;
  std::uint64_t first = 0;
  for (std::uint64_t left = size; left != 0;) {
    const std::uint64_t width = std::bit_floor(left);
    const auto level = static_cast<unsigned>(std::countr_zero(width));
    CALLVAULT_TRY_ASSIGN(const Digest peak, source_(stored_position(level, first >> level)));
    out.peaks_.push_back(peak);
    first += width;
    left -= width;
  }
  return out;
}

Result<Head> Tree::head_at(std::uint64_t size) const {
  CALLVAULT_TRY_ASSIGN(const TreeBuilder builder, builder_at(size));
  return builder.head();
}

// MTH(D[first:last]) where the range is one that RFC 6962's recursion meets: it starts at a multiple of its width,
// rounded up to a power of two.
Result<Digest> Tree::range(std::uint64_t first, std::uint64_t last) const {
  const std::uint64_t width = last - first;
  if (std::has_single_bit(width)) {
    const auto level = static_cast<unsigned>(std::countr_zero(width));
    return source_(stored_position(level, first >> level));
  }
  const std::uint64_t middle = first + split_of(width);
  CALLVAULT_TRY_ASSIGN(const Digest left, range(first, middle));
  CALLVAULT_TRY_ASSIGN(const Digest right, range(middle, last));
  return node_hash(left, right);
}

Result<std::vector<Digest>> Tree::inclusion_proof(std::uint64_t index, std::uint64_t size) const {
  std::vector<Digest> from_root;
  for (std::uint64_t first = 0, last = size; last - first > 1;) {
    const std::uint64_t middle = first + split_of(last - first);
    const bool on_left = index < middle;
    CALLVAULT_TRY_ASSIGN(const Digest other, on_left ? range(middle, last) : range(first, middle));
    from_root.push_back(other);
    (on_left ? last : first) = middle;
  }
  return std::vector<Digest>(from_root.rbegin(), from_root.rend());
}

Result<std::vector<Digest>> Tree::consistency_proof(std::uint64_t old_size, std::uint64_t new_size) const {
  if (old_size == 0 || old_size == new_size) return std::vector<Digest>{};
  std::vector<Digest> from_root;
  std::uint64_t first = 0;
  std::uint64_t last = new_size;
  while (old_size != last) {  // RFC 6962 2.1.2, SUBPROOF, from the outside inwards
    const std::uint64_t middle = first + split_of(last - first);
    const bool on_left = old_size <= middle;
    CALLVAULT_TRY_ASSIGN(const Digest other, on_left ? range(middle, last) : range(first, middle));
    from_root.push_back(other);
    (on_left ? last : first) = middle;
  }
  if (first != 0) {
    CALLVAULT_TRY_ASSIGN(const Digest common, range(first, last));
    from_root.push_back(common);
  }
  return std::vector<Digest>(from_root.rbegin(), from_root.rend());
}

}  // namespace callvault::journal
