#include "keys/directory.h"

#include <algorithm>

#include "base/text.h"
#include "crypto/aead.h"
#include "keys/unix_ms.h"

namespace callvault::keys {
namespace {

constexpr std::uint32_t kMaxEntries = 1'000'000;
constexpr std::size_t kMaxRegisterNameBytes = 64;

std::size_t plain_size(const Directory& d) {
  std::size_t size = 256;
  for (const auto& [number, b] : d.buckets) size += 160 + b.retention_class.size();
  size += d.intake.size() * 96;
  for (const auto& s : d.staff) size += 64 + s.month.size();
  for (const auto& [name, p] : d.people) size += 128 + name.size();
  for (const auto& o : d.outstanding) size += 32 + o.reason.size();
  for (const auto& [name, r] : d.registers) size += 128 + name.size();
  return size;
}

Error damaged_directory() { return fail(Errc::corrupt, "keys/directory is damaged"); }

void spoil(base::FieldReader& r) { (void)r.bytes(r.left() + 1); }

// A directory has one spelling: yes is 1, no is 0.
bool read_flag(base::FieldReader& r) {
  const auto value = r.number<std::uint8_t>();
  if (value > 1) spoil(r);
  return value == 1;
}

// Numbers and names ascend, so none stands twice.
template <typename Map>
bool follows(const Map& map, const typename Map::key_type& next) {
  return map.empty() || map.rbegin()->first < next;
}

// Reads a count and stops at once on nonsense, so that a hostile number cannot cost memory.
std::uint32_t read_count(base::FieldReader& r) {
  const auto count = r.number<std::uint32_t>();
  if (count > kMaxEntries || count > r.left()) {
    spoil(r);
    return 0;
  }
  return count;
}

Result<crypto::Key> read_key(base::FieldReader& r) {
  const auto raw = r.bytes(crypto::Key::kBytes);
  if (!r.ok()) return damaged_directory();
  return crypto::Key::copy_of(raw);
}

}  // namespace

Result<crypto::SecretBuffer> encode_directory(const Directory& d) {
  if (std::max({d.buckets.size(), d.intake.size(), d.staff.size(), d.people.size(), d.outstanding.size(),
                d.registers.size()}) > kMaxEntries)
    return fail(Errc::refused, "the directory has too many entries");
  CALLVAULT_TRY_ASSIGN(auto out, crypto::SecretBuffer::make(plain_size(d)));
  base::FieldWriter w(out.reveal_mutable());
  w.number(d.next_bucket);
  w.number(d.next_intake);
  w.number(d.review_number);
  w.number(static_cast<std::uint8_t>(d.last_purge.has_value() ? 1 : 0));
  w.number(to_unix_ms(d.last_purge.value_or(Time{})));
  w.number(d.journal_size);
  w.bytes(d.journal_root);
  if (!d.journal_seed) return fail(Errc::unexpected, "a directory without journal key cannot be written");
  w.bytes(d.journal_seed->reveal());
  w.number(static_cast<std::uint32_t>(d.buckets.size()));
  for (const auto& [number, b] : d.buckets) {
    w.number(number);
    w.text(b.retention_class);
    w.number(static_cast<std::uint32_t>(b.day));
    w.number(b.generation);
    w.number(b.recordings);
    w.bytes(b.node_hash);
    w.bytes(b.node_key.reveal());
    w.bytes(b.index_key.reveal());
  }
  w.number(static_cast<std::uint32_t>(d.intake.size()));
  for (const auto& [id, i] : d.intake) {
    w.number(id);
    w.number(to_unix_ms(i.created));
    w.bytes(i.secret.reveal());
    w.bytes(i.pepper.reveal());
  }
  w.number(static_cast<std::uint32_t>(d.staff.size()));
  for (const auto& s : d.staff) {
    w.text(s.month);
    w.bytes(s.key.reveal());
  }
  w.number(static_cast<std::uint32_t>(d.people.size()));
  for (const auto& [name, p] : d.people) {
    w.text(name);
    w.number(p.roles);
    w.number(static_cast<std::uint8_t>(p.disabled ? 1 : 0));
    w.number(to_unix_ms(p.since));
    w.bytes(p.signing);
    w.bytes(p.box);
  }
  w.number(static_cast<std::uint32_t>(d.outstanding.size()));
  for (const auto& o : d.outstanding) {
    w.bytes(o.id.bytes());
    w.text(o.reason);
    w.number(static_cast<std::uint8_t>(o.track ? 1 + static_cast<std::uint8_t>(*o.track) : 0));
  }
  w.number(static_cast<std::uint32_t>(d.registers.size()));
  for (const auto& [name, r] : d.registers) {
    w.text(name);
    w.number(r.generation);
    w.bytes(r.hash);
    w.bytes(r.key.reveal());
    w.bytes(r.index_key.reveal());
  }
  if (!w.ok()) return fail(Errc::unexpected, "the directory does not fit its buffer");
  out.shrink(w.used());
  return out;
}

Result<Directory> decode_directory(base::ByteView plain, std::uint16_t version) {
  base::FieldReader r(plain);
  Directory d;
  d.next_bucket = r.number<std::uint32_t>();
  d.next_intake = r.number<std::uint32_t>();
  d.review_number = r.number<std::uint32_t>();
  const bool purged = read_flag(r);
  const auto last_purge = r.number<std::uint64_t>();
  if (!purged && last_purge != 0) spoil(r);
  if (purged) d.last_purge = from_unix_ms(last_purge);
  d.journal_size = r.number<std::uint64_t>();
  d.journal_root = r.array<32>();
  CALLVAULT_TRY_ASSIGN(d.journal_seed, read_key(r));
  // Where bytes run out, read_key() ends it; people and what is outstanding have none.
  for (auto n = read_count(r); n > 0; --n) {
    const auto number = r.number<std::uint32_t>();
    std::string retention_class = r.text();
    const auto day = static_cast<std::int32_t>(r.number<std::uint32_t>());
    const auto generation = r.number<std::uint64_t>();
    const auto recordings = r.number<std::uint32_t>();
    const auto hash = r.array<32>();
    CALLVAULT_TRY_ASSIGN(auto node_key, read_key(r));
    CALLVAULT_TRY_ASSIGN(auto index_key, read_key(r));
    if (!follows(d.buckets, number) || number >= d.next_bucket) return damaged_directory();
    d.buckets.emplace(number, Bucket{number, std::move(retention_class), day, generation, recordings, hash,
                                     std::move(node_key), std::move(index_key)});
  }
  for (auto n = read_count(r); n > 0; --n) {
    const auto id = r.number<std::uint32_t>();
    const auto created = from_unix_ms(r.number<std::uint64_t>());
    CALLVAULT_TRY_ASSIGN(auto secret, read_key(r));
    CALLVAULT_TRY_ASSIGN(auto pepper, read_key(r));
    if (!follows(d.intake, id) || id >= d.next_intake) return damaged_directory();
    d.intake.emplace(id, IntakePrivate{id, created, std::move(secret), std::move(pepper)});
  }
  for (auto n = read_count(r); n > 0; --n) {
    std::string month = r.text();
    CALLVAULT_TRY_ASSIGN(auto key, read_key(r));
    d.staff.push_back(StaffKey{std::move(month), std::move(key)});
  }
  for (auto n = read_count(r); n > 0 && r.ok(); --n) {
    PersonEntry p;
    p.name = r.text();
    p.roles = r.number<std::uint8_t>();
    p.disabled = read_flag(r);
    p.since = from_unix_ms(r.number<std::uint64_t>());
    p.signing = r.array<32>();
    p.box = r.array<32>();
    std::string name = p.name;
    if (!follows(d.people, name)) return damaged_directory();
    d.people.emplace(std::move(name), std::move(p));
  }
  for (auto n = read_count(r); n > 0 && r.ok(); --n) {
    const auto id = r.array<RecordingId::kBytes>();
    Outstanding o{RecordingId(id), r.text()};
    const auto track = r.number<std::uint8_t>();
    if (track > 3) spoil(r);
    if (track > 0) o.track = static_cast<TrackName>(track - 1);
    d.outstanding.push_back(std::move(o));
  }
  for (auto n = version < 2 ? 0 : read_count(r); n > 0; --n) {
    std::string name = r.text();
    const auto generation = r.number<std::uint64_t>();
    const auto hash = r.array<32>();
    CALLVAULT_TRY_ASSIGN(auto key, read_key(r));
    CALLVAULT_TRY_ASSIGN(auto index_key, read_key(r));
    if (!base::is_plain_name(name, kMaxRegisterNameBytes) || !follows(d.registers, name)) return damaged_directory();
    Register made{name, generation, hash, std::move(key), std::move(index_key)};
    d.registers.emplace(std::move(name), std::move(made));
  }
  if (!r.ok() || r.left() != 0) return damaged_directory();
  return d;
}

Result<Directory> Directory::clone() const {
  CALLVAULT_TRY_ASSIGN(const auto plain, encode_directory(*this));
  CALLVAULT_TRY_ASSIGN(auto copy, decode_directory(plain.reveal()));
  copy.epoch = epoch;
  copy.keepers = keepers;
  return copy;
}

Result<base::Bytes> seal_directory(const Directory& directory, const crypto::Key& key) {
  CALLVAULT_TRY_ASSIGN(auto out, encode_head(directory.epoch, directory.keepers));
  CALLVAULT_TRY_ASSIGN(const auto plain, encode_directory(directory));
  CALLVAULT_TRY_ASSIGN(const auto derived, key.derive("callvault v1 directory"));
  const auto sealed = crypto::seal(derived, out, plain.reveal());
  out.insert(out.end(), sealed.begin(), sealed.end());
  return out;
}

Result<std::uint64_t> directory_epoch(base::ByteView file) {
  CALLVAULT_TRY_ASSIGN(const auto parts, split_directory(file));
  return parts.head.epoch;
}

Result<Directory> open_directory(base::ByteView file, const crypto::Key& key) {
  CALLVAULT_TRY_ASSIGN(auto parts, split_directory(file));
  CALLVAULT_TRY_ASSIGN(const auto derived, key.derive("callvault v1 directory"));
  CALLVAULT_TRY_ASSIGN(const auto plain, crypto::open(derived, parts.clear, parts.sealed, "keys/directory"));
  CALLVAULT_TRY_ASSIGN(auto directory, decode_directory(plain.reveal(), parts.head.version));
  directory.epoch = parts.head.epoch;
  directory.keepers = std::move(parts.head.keepers);
  return directory;
}

}  // namespace callvault::keys
