#include "keys/directory_head.h"

#include <limits>

#include "crypto/aead.h"

namespace callvault::keys {
namespace {

constexpr std::string_view kDirectoryMagic = "CVDIRECT";
constexpr std::uint16_t kAloneVersion = 2;     // version 2 added the registers
constexpr std::uint16_t kMirroredVersion = 3;  // version 3 has keepers before the sealed part
constexpr std::size_t kHeadBytes = 8 + 2 + 2 + 4 + 8;
constexpr std::size_t kMaxPathBytes = 4096;
constexpr std::size_t kWrapBytes = crypto::Key::kBytes + crypto::kSealOverhead;
constexpr std::size_t kEntryBytes = 2 + 8 + 8 + 8 + 32 + 1 + kWrapBytes;

Error damaged_head() { return fail(Errc::corrupt, "keys/directory is damaged"); }

std::array<std::byte, 40> keeper_wrap_context(const KeeperEntry& entry) {
  std::array<std::byte, 40> out{};
  base::FieldWriter w(out);
  w.number(entry.epoch);
  w.bytes(entry.commitment);
  return out;
}

bool read_entry(base::FieldReader& r, std::uint64_t epoch, KeeperEntry& out) {
  out.path = r.text();
  out.epoch = r.number<std::uint64_t>();
  out.oldest = r.number<std::uint64_t>();
  out.waiting = r.number<std::uint64_t>();
  out.commitment = r.array<32>();
  const auto current = r.number<std::uint8_t>();
  if (current == 1) {
    const auto wrap = r.bytes(kWrapBytes);
    out.wrap.assign(wrap.begin(), wrap.end());
  }
  return r.ok() && current <= 1 && !out.path.empty() && out.path.size() <= kMaxPathBytes && out.oldest <= out.epoch &&
         (current == 1 ? out.epoch == epoch : out.epoch < epoch);
}

}  // namespace

Result<base::Bytes> encode_head(std::uint64_t epoch, const std::vector<KeeperEntry>& keepers) {
  std::size_t size = kHeadBytes;
  if (!keepers.empty()) size += 2;
  for (const auto& k : keepers) size += kEntryBytes + k.path.size();
  if (keepers.size() > kMaxKeepers)
    return fail(Errc::refused, "a vault has at most " + std::to_string(kMaxKeepers) + " keepers");
  base::Bytes out(size);
  base::FieldWriter w(out);
  w.bytes(base::as_bytes(kDirectoryMagic));
  w.number(keepers.empty() ? kAloneVersion : kMirroredVersion);
  w.number(std::uint16_t{0});
  w.number(std::uint32_t{0});
  w.number(epoch);
  if (!keepers.empty()) w.number(static_cast<std::uint16_t>(keepers.size()));
  for (const auto& k : keepers) {
    if (k.path.empty() || k.path.size() > kMaxPathBytes) return fail(Errc::refused, "a keeper's path is too long");
    w.text(k.path);
    w.number(k.epoch);
    w.number(k.oldest);
    w.number(k.waiting);
    w.bytes(k.commitment);
    w.number(static_cast<std::uint8_t>(k.is_current() ? 1 : 0));
    w.bytes(k.wrap);
  }
  if (!w.ok()) return fail(Errc::unexpected, "the directory's head does not fit its buffer");
  out.resize(w.used());
  return out;
}

Result<SplitDirectory> split_directory(base::ByteView file) {
  base::FieldReader r(file);
  SplitDirectory out;
  const bool magic = base::as_text(r.bytes(8)) == kDirectoryMagic;
  out.head.version = r.number<std::uint16_t>();
  r.number<std::uint16_t>();
  r.number<std::uint32_t>();
  out.head.epoch = r.number<std::uint64_t>();
  if (magic && out.head.version > kMirroredVersion)
    return fail(Errc::newer_version, "keys/directory is of a newer version");
  if (!magic || !r.ok() || out.head.version == 0) return damaged_head();
  if (out.head.version == kMirroredVersion) {
    const auto count = r.number<std::uint16_t>();
    if (!r.ok() || count == 0 || count > kMaxKeepers) return damaged_head();
    for (std::uint16_t i = 0; i < count; ++i) {
      KeeperEntry entry;
      if (!read_entry(r, out.head.epoch, entry)) return damaged_head();
      out.head.keepers.push_back(std::move(entry));
    }
  }
  out.clear = file.first(r.used());
  out.sealed = file.subspan(r.used());
  return out;
}

Result<void> wrap_directory_key(KeeperEntry& entry, std::uint64_t epoch, const KeeperSlot& slot,
                                const crypto::Key& directory_key) {
  entry.epoch = epoch;
  entry.commitment = slot.commitment;
  CALLVAULT_TRY_ASSIGN(const auto key, slot.root.derive("callvault v1 directory key"));
  entry.wrap = crypto::seal(key, keeper_wrap_context(entry), directory_key.reveal());
  CALLVAULT_TRY_ASSIGN(const auto back, unwrap_directory_key(entry, slot));
  if (!crypto::equal(back.reveal(), directory_key.reveal()))
    return fail(Errc::unexpected, "a key that was wrapped cannot be unwrapped");
  return {};
}

Result<crypto::Key> unwrap_directory_key(const KeeperEntry& entry, const KeeperSlot& slot) {
  if (!crypto::equal(entry.commitment, slot.commitment)) return damaged_head();
  CALLVAULT_TRY_ASSIGN(const auto key, slot.root.derive("callvault v1 directory key"));
  CALLVAULT_TRY_ASSIGN(const auto plain, crypto::open(key, keeper_wrap_context(entry), entry.wrap, "keys/directory"));
  return crypto::Key::copy_of(plain.reveal());
}

}  // namespace callvault::keys
