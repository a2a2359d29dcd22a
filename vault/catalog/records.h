// Keys and values of the catalogue, byte for byte as docs/format/catalog.md says.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include "catalog/catalog.h"

namespace callvault::catalog {

class View;

inline constexpr std::size_t kConsents = 6;
inline constexpr std::uint32_t kIdsPerBlock = 48;    // on average at most, then the blocks are doubled
inline constexpr std::uint32_t kTokensPerBlock = 8;  // the same: a search reads one in each bucket, and hashes it
inline constexpr std::uint8_t kMaxBits = 16;
inline constexpr std::uint32_t kSegmentTombstones = 4096;
inline constexpr std::uint8_t kSegmentBits = 8;

// The first byte of every key. Numbers in keys are big-endian, so that keys sort as numbers.
enum class Table : char {
  root = 'R',
  bucket = 'M',
  ids = 'I',
  tokens = 'T',
  rows = 'S',
  span = 'P',
  segment = 'U',
  tombstones = 'V',
};

Bytes root_key();
Bytes number_key(Table table, std::uint32_t number);                      // bucket, segment; prefix of the rest
Bytes block_key(Table table, std::uint32_t number, std::uint32_t block);  // ids, tokens, tombstones
Bytes row_key(std::uint32_t bucket, const RecordingId& id);
// REQUIRES: a key with at least five bytes.
std::uint32_t number_of(ByteView key);

// Counts over everything: they prove that a walk has missed nothing.
struct Root {
  std::uint32_t buckets = 0;
  std::uint64_t bucket_checks = 0;  // exclusive or of the checks of all bucket records
  std::uint32_t segments = 0;       // of tombstones: numbered 0 .. segments - 1
  std::uint64_t tombstones = 0;
  std::uint64_t journal_position = 0;
};

struct BucketMeta {
  std::uint64_t generation = 0;
  std::uint32_t rows = 0;
  std::uint32_t tokens = 0;
  std::uint8_t id_bits = 0;  // there are 2^bits blocks, by the leading bits; empty ones exist too
  std::uint8_t token_bits = 0;
  std::uint32_t min_day = 0, max_day = 0;  // of no meaning without rows
  std::array<std::uint32_t, kConsents> consents{};
};

struct IdEntry {
  RecordingId id;
  std::uint32_t day = 0;
  std::uint8_t consent = 0;
  std::uint8_t tokens = 0;
};
struct TokenEntry {
  Token token{};
  RecordingId id;
};
struct Segment {
  std::uint32_t count = 0;
  std::uint64_t first_index = 0, last_index = 0;  // of the journal
};
using IdBlock = std::vector<IdEntry>;           // sorted by id
using TokenBlock = std::vector<TokenEntry>;     // sorted by token
using TombstoneBlock = std::vector<Tombstone>;  // sorted by id

Bytes encode(const Root& root);
Bytes encode(const BucketMeta& meta);
Bytes encode(const IdBlock& block);
Bytes encode(const TokenBlock& block);
Bytes encode(const Segment& segment);
Result<Bytes> encode(const TombstoneBlock& block);  // usage: a text is too long

Result<Root> decode_root(ByteView value);
Result<BucketMeta> decode_bucket(ByteView value);
Result<IdBlock> decode_ids(ByteView value);
Result<TokenBlock> decode_tokens(ByteView value);
Result<Segment> decode_segment(ByteView value);
Result<TombstoneBlock> decode_tombstones(ByteView value);

// The block of something whose bytes begin so: its leading `bits` bits.
std::uint32_t block_of(ByteView bytes, std::uint8_t bits);
// Bits for so many entries.
std::uint8_t bits_for(std::uint64_t entries, std::uint32_t per_block);

// The recording that a token of this block names. Errors: corrupt when it is no block of tokens.
Result<std::optional<RecordingId>> find_in_tokens(ByteView block, const Token& token);

Result<Root> read_root(View& view);
Result<std::optional<BucketMeta>> read_bucket(View& view, std::uint32_t bucket);
// Every bucket, proven complete against the root record.
Result<std::shared_ptr<const std::map<std::uint32_t, BucketMeta>>> read_buckets(View& view);

// A prefix of ids: their first bits.
struct IdPrefix {
  std::array<std::byte, RecordingId::kBytes> low{}, high{};  // inclusive
};
Result<IdPrefix> parse_prefix(std::string_view base32_prefix);

}  // namespace callvault::catalog
