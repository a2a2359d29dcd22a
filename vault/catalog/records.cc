#include "catalog/records.h"

#include <algorithm>
#include <cstring>
#include <string>

#include "catalog/store.h"

namespace callvault::catalog {
namespace {

constexpr std::uint8_t kVersion = 1;
constexpr std::size_t kIdEntryBytes = 16 + 4 + 1 + 1;
constexpr std::size_t kTokenEntryBytes = kTokenBytes + 16;
constexpr std::size_t kMaxTombstoneText = 64;
constexpr std::size_t kMaxTombstoneBytes = 16 + 2 * (2 + kMaxTombstoneText) + 4 * 8;
constexpr std::size_t kMaxBlockEntries = 1 << 18;

Error bad(const char* what) {
  return fail(Errc::corrupt, std::string("catalogue is damaged: a record of ") + what + " does not decode");
}

void add_big_endian(Bytes& out, std::uint32_t number) {
  for (int shift = 24; shift >= 0; shift -= 8) out.push_back(static_cast<std::byte>(number >> shift));
}

template <std::size_t N, typename Fill>
Bytes fixed(Fill fill) {
  Bytes out(N);
  base::FieldWriter writer(out);
  fill(writer);
  return out;
}

}  // namespace

Bytes root_key() { return {static_cast<std::byte>(Table::root)}; }

Bytes number_key(Table table, std::uint32_t number) {
  Bytes key{static_cast<std::byte>(table)};
  key.reserve(24);
  add_big_endian(key, number);
  return key;
}

Bytes block_key(Table table, std::uint32_t number, std::uint32_t block) {
  Bytes key = number_key(table, number);
  add_big_endian(key, block);
  return key;
}

Bytes row_key(std::uint32_t bucket, const RecordingId& id) {
  Bytes key = number_key(Table::rows, bucket);
  key.insert(key.end(), id.bytes().begin(), id.bytes().end());
  return key;
}

std::uint32_t number_of(ByteView key) {
  std::uint32_t number = 0;
  for (std::size_t i = 1; i < 5; ++i) number = number << 8 | std::to_integer<std::uint32_t>(key[i]);
  return number;
}

Bytes encode(const Root& root) {
  return fixed<1 + 4 + 8 + 4 + 8 + 8>([&](base::FieldWriter& writer) {
    writer.number(kVersion);
    writer.number(root.buckets);
    writer.number(root.bucket_checks);
    writer.number(root.segments);
    writer.number(root.tombstones);
    writer.number(root.journal_position);
  });
}

Result<Root> decode_root(ByteView value) {
  base::FieldReader reader(value);
  Root root;
  const bool known = reader.number<std::uint8_t>() == kVersion;
  root.buckets = reader.number<std::uint32_t>();
  root.bucket_checks = reader.number<std::uint64_t>();
  root.segments = reader.number<std::uint32_t>();
  root.tombstones = reader.number<std::uint64_t>();
  root.journal_position = reader.number<std::uint64_t>();
  if (!known || !reader.ok() || reader.left() != 0) return bad("the root");
  return root;
}

Bytes encode(const BucketMeta& meta) {
  return fixed<8 + 4 + 4 + 1 + 1 + 4 + 4 + 4 * kConsents>([&](base::FieldWriter& writer) {
    writer.number(meta.generation);
    writer.number(meta.rows);
    writer.number(meta.tokens);
    writer.number(meta.id_bits);
    writer.number(meta.token_bits);
    writer.number(meta.min_day);
    writer.number(meta.max_day);
    for (const std::uint32_t count : meta.consents) writer.number(count);
  });
}

Result<BucketMeta> decode_bucket(ByteView value) {
  base::FieldReader reader(value);
  BucketMeta meta;
  meta.generation = reader.number<std::uint64_t>();
  meta.rows = reader.number<std::uint32_t>();
  meta.tokens = reader.number<std::uint32_t>();
  meta.id_bits = reader.number<std::uint8_t>();
  meta.token_bits = reader.number<std::uint8_t>();
  meta.min_day = reader.number<std::uint32_t>();
  meta.max_day = reader.number<std::uint32_t>();
  for (std::uint32_t& count : meta.consents) count = reader.number<std::uint32_t>();
  if (!reader.ok() || reader.left() != 0 || meta.id_bits > kMaxBits || meta.token_bits > kMaxBits)
    return bad("a bucket");
  return meta;
}

Bytes encode(const IdBlock& block) {
  Bytes out(block.size() * kIdEntryBytes);
  base::FieldWriter writer(out);
  for (const IdEntry& entry : block) {
    writer.bytes(entry.id.bytes());
    writer.number(entry.day);
    writer.number(entry.consent);
    writer.number(entry.tokens);
  }
  return out;
}

Result<IdBlock> decode_ids(ByteView value) {
  if (value.size() % kIdEntryBytes != 0 || value.size() / kIdEntryBytes > kMaxBlockEntries) return bad("ids");
  base::FieldReader reader(value);
  IdBlock block(value.size() / kIdEntryBytes);
  for (std::size_t i = 0; i < block.size(); ++i) {
    block[i].id = RecordingId(reader.array<16>());
    block[i].day = reader.number<std::uint32_t>();
    block[i].consent = reader.number<std::uint8_t>();
    block[i].tokens = reader.number<std::uint8_t>();
    if (block[i].consent >= kConsents || (i > 0 && block[i - 1].id >= block[i].id)) return bad("ids");
  }
  return block;
}

Bytes encode(const TokenBlock& block) {
  Bytes out(block.size() * kTokenEntryBytes);
  base::FieldWriter writer(out);
  for (const TokenEntry& entry : block) {
    writer.bytes(entry.token);
    writer.bytes(entry.id.bytes());
  }
  return out;
}

Result<TokenBlock> decode_tokens(ByteView value) {
  if (value.size() % kTokenEntryBytes != 0 || value.size() / kTokenEntryBytes > kMaxBlockEntries) return bad("tokens");
  base::FieldReader reader(value);
  TokenBlock block(value.size() / kTokenEntryBytes);
  for (std::size_t i = 0; i < block.size(); ++i) {
    block[i].token = reader.array<kTokenBytes>();
    block[i].id = RecordingId(reader.array<16>());
    if (i > 0 && block[i - 1].token >= block[i].token) return bad("tokens");
  }
  return block;
}

Result<std::optional<RecordingId>> find_in_tokens(ByteView block, const Token& token) {
  if (block.size() % kTokenEntryBytes != 0) return bad("tokens");
  std::size_t low = 0, high = block.size() / kTokenEntryBytes;
  while (low < high) {
    const std::size_t middle = (low + high) / 2;
    const ByteView entry = block.subspan(middle * kTokenEntryBytes, kTokenEntryBytes);
    const int order = std::memcmp(entry.data(), token.data(), kTokenBytes);
    if (order == 0) {
      base::FieldReader reader(entry.subspan(kTokenBytes));
      return std::optional<RecordingId>(reader.array<RecordingId::kBytes>());
    }
    if (order < 0)
      low = middle + 1;
    else
      high = middle;
  }
  return std::optional<RecordingId>();
}

Bytes encode(const Segment& segment) {
  return fixed<4 + 8 + 8>([&](base::FieldWriter& writer) {
    writer.number(segment.count);
    writer.number(segment.first_index);
    writer.number(segment.last_index);
  });
}

Result<Segment> decode_segment(ByteView value) {
  base::FieldReader reader(value);
  Segment segment;
  segment.count = reader.number<std::uint32_t>();
  segment.first_index = reader.number<std::uint64_t>();
  segment.last_index = reader.number<std::uint64_t>();
  if (!reader.ok() || reader.left() != 0 || segment.count > kSegmentTombstones) return bad("a segment");
  return segment;
}

Result<Bytes> encode(const TombstoneBlock& block) {
  Bytes out(block.size() * kMaxTombstoneBytes);
  base::FieldWriter writer(out);
  for (const Tombstone& tombstone : block) {
    if (tombstone.start_day.size() > kMaxTombstoneText || tombstone.reason.size() > kMaxTombstoneText)
      return fail(Errc::usage, "a tombstone's text is too long");
    writer.bytes(tombstone.id.bytes());
    writer.text(tombstone.start_day);
    writer.number(tombstone.duration_s);
    writer.text(tombstone.reason);
    writer.number(static_cast<std::uint64_t>(tombstone.shredded_at.time_since_epoch().count()));
    writer.number(tombstone.epoch);
    writer.number(tombstone.journal_index);
  }
  out.resize(writer.used());
  return out;
}

Result<TombstoneBlock> decode_tombstones(ByteView value) {
  base::FieldReader reader(value);
  TombstoneBlock block;
  while (reader.ok() && reader.left() > 0) {
    Tombstone tombstone;
    tombstone.id = RecordingId(reader.array<16>());
    tombstone.start_day = reader.text();
    tombstone.duration_s = reader.number<std::uint64_t>();
    tombstone.reason = reader.text();
    tombstone.shredded_at = Time(std::chrono::milliseconds(static_cast<std::int64_t>(reader.number<std::uint64_t>())));
    tombstone.epoch = reader.number<std::uint64_t>();
    tombstone.journal_index = reader.number<std::uint64_t>();
    if (!block.empty() && block.back().id >= tombstone.id) return bad("tombstones");
    block.push_back(std::move(tombstone));
  }
  if (!reader.ok()) return bad("tombstones");
  return block;
}

std::uint32_t block_of(ByteView bytes, std::uint8_t bits) {
  const std::uint32_t lead = std::to_integer<std::uint32_t>(bytes[0]) << 16 |
                             std::to_integer<std::uint32_t>(bytes[1]) << 8 | std::to_integer<std::uint32_t>(bytes[2]);
  static_assert(kMaxBits <= 24);
  return lead >> (24 - bits);
}

std::uint8_t bits_for(std::uint64_t entries, std::uint32_t per_block) {
  std::uint8_t bits = 0;
  while (bits < kMaxBits && entries > std::uint64_t{per_block} << bits) ++bits;
  return bits;
}

Result<Root> read_root(View& view) {
  CALLVAULT_TRY_ASSIGN(const Bytes value, view.need(root_key()));
  return decode_root(value);
}

Result<std::optional<BucketMeta>> read_bucket(View& view, std::uint32_t bucket) {
  if (const auto& known = view.known().buckets) {
    const auto at = known->find(bucket);
    return at == known->end() ? std::nullopt : std::optional<BucketMeta>(at->second);
  }
  CALLVAULT_TRY_ASSIGN(const std::optional<ByteView> value, view.look(number_key(Table::bucket, bucket)));
  if (!value) return std::optional<BucketMeta>();
  CALLVAULT_TRY_ASSIGN(const BucketMeta meta, decode_bucket(*value));
  return std::optional<BucketMeta>(meta);
}

Result<std::shared_ptr<const Buckets>> read_buckets(View& view) {
  if (view.known().buckets) return view.known().buckets;
  CALLVAULT_TRY_ASSIGN(const Root root, read_root(view));
  Buckets buckets;
  std::uint64_t checks = 0;
  const Bytes prefix{static_cast<std::byte>(Table::bucket)};
  CALLVAULT_TRY(view.walk(prefix, [&](ByteView key, ByteView value) -> Result<bool> {
    if (key.size() != 5) return bad("a bucket");
    CALLVAULT_TRY_ASSIGN(buckets[number_of(key)], decode_bucket(value));
    checks ^= check_of(key, value);
    return true;
  }));
  if (buckets.size() != root.buckets || checks != root.bucket_checks)
    return fail(Errc::corrupt, "catalogue is damaged: buckets are missing");
  view.known().buckets = std::make_shared<const Buckets>(std::move(buckets));
  return view.known().buckets;
}

Result<IdPrefix> parse_prefix(std::string_view base32_prefix) {
  if (base32_prefix.size() > RecordingId::kTextLength) return fail(Errc::usage, "longer than a recording's id");
  IdPrefix prefix;
  prefix.high.fill(std::byte{0xff});
  std::size_t bit = 0;
  for (const char c : base32_prefix) {
    const int digit = c >= 'a' && c <= 'z' ? c - 'a' : c >= '2' && c <= '7' ? c - '2' + 26 : -1;
    if (digit < 0) return fail(Errc::usage, "not the beginning of a recording's id");
    for (int i = 4; i >= 0; --i, ++bit) {
      const bool one = (digit >> i & 1) != 0;
      if (bit >= 8 * RecordingId::kBytes) {
        if (one) return fail(Errc::usage, "not a recording's id");
        continue;
      }
      const auto mask = static_cast<std::byte>(0x80U >> (bit % 8));
      if (one)
        prefix.low[bit / 8] |= mask;
      else
        prefix.high[bit / 8] &= ~mask;
    }
  }
  return prefix;
}

}  // namespace callvault::catalog
