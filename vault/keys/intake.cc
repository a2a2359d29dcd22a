#include "keys/intake.h"

#include <algorithm>
#include <charconv>
#include <thread>

#include "crypto/hash.h"

namespace callvault::keys {
namespace {

constexpr std::string_view kIntakeMagic = "CVINTAKE";
constexpr std::uint16_t kIntakeVersion = 1;
constexpr int kBelieveNone = 10;
constexpr std::size_t kCheckedBytes = 8 + 2 + 2 + 4 + 32 + 32;
constexpr std::size_t kIntakeBytes = kCheckedBytes + 32;

}  // namespace

Result<base::Bytes> encode_intake(const IntakePublic& key) {
  base::Bytes out(kIntakeBytes);
  base::FieldWriter w(out);
  w.bytes(base::as_bytes(kIntakeMagic));
  w.number(kIntakeVersion);
  w.number(std::uint16_t{0});
  w.number(key.id);
  w.bytes(key.public_key);
  w.bytes(key.pepper.reveal());
  w.bytes(crypto::blake2b(base::ByteView(out).first(kCheckedBytes)));
  return out;
}

Result<IntakePublic> decode_intake(base::ByteView bytes) {
  base::FieldReader r(bytes);
  const bool magic = base::as_text(r.bytes(8)) == kIntakeMagic;
  const auto version = r.number<std::uint16_t>();
  const auto zero = r.number<std::uint16_t>();
  const auto id = r.number<std::uint32_t>();
  const auto public_key = r.array<32>();
  const auto pepper = r.bytes(32);
  if (magic && version > kIntakeVersion) return fail(Errc::newer_version, "an intake key is of a newer version");
  const auto check = r.bytes(32);
  const bool whole = magic && version == kIntakeVersion && zero == 0 && r.ok() && r.left() == 0;
  if (!whole || !crypto::equal(check, crypto::blake2b(bytes.first(kCheckedBytes))))
    return fail(Errc::corrupt, "an intake key file is damaged");
  CALLVAULT_TRY_ASSIGN(auto key, crypto::Key::copy_of(pepper));
  return IntakePublic{id, public_key, std::move(key)};
}

Result<std::vector<std::uint32_t>> list_intake(const base::Layout& layout) {
  CALLVAULT_TRY_ASSIGN(const auto names, os::list_folder(layout.intake()));
  std::vector<std::uint32_t> out;
  for (const auto& name : names) {
    std::uint32_t id = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), id);
    if (error == std::errc() && end == name.data() + name.size() && std::to_string(id) == name) out.push_back(id);
  }
  std::sort(out.begin(), out.end());
  return out;
}

Result<IntakeLease> acquire_intake(const base::Layout& layout) {
  // A retirement publishes the next key before it takes the old one's lock, so a few rounds always suffice.
  int seen_none = 0;
  for (int round = 0; round < 100; ++round) {
    CALLVAULT_TRY_ASSIGN(const auto ids, list_intake(layout));
    // A listing is no snapshot: taken while one key comes and another goes, it may show neither.
    if (ids.empty() && ++seen_none == kBelieveNone)
      return fail(Errc::corrupt, "no intake key in " + layout.intake().string());
    if (ids.empty()) {
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
      continue;
    }
    const os::Path path = layout.intake() / std::to_string(ids.back());
    auto file = os::File::open_read(path);
    if (!file && file.error().code == Errc::not_found) continue;
    if (!file) return std::move(file).error();
    CALLVAULT_TRY_ASSIGN(const bool locked, file->try_lock_shared());
    if (locked) {
      CALLVAULT_TRY_ASSIGN(const auto again, list_intake(layout));
      if (!again.empty() && again.back() == ids.back()) {
        base::Bytes bytes(kIntakeBytes + 1);
        CALLVAULT_TRY_ASSIGN(const auto got, file->read_at(bytes, 0));
        CALLVAULT_TRY_ASSIGN(auto key, decode_intake(base::ByteView(bytes).first(got)));
        if (key.id != ids.back())
          return fail(Errc::corrupt, "an intake key file has another key's number: " + path.string());
        return IntakeLease{std::move(key), std::move(*file)};
      }
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return fail(Errc::busy, "the intake key is being retired and no next one appeared");
}

}  // namespace callvault::keys
