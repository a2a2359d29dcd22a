#include "keys/tpm_keeper.h"

#include <algorithm>
#include <charconv>

#include "base/text.h"
#include "crypto/random.h"

namespace callvault::keys {
namespace {

constexpr std::uint16_t kTpmSlotVersion = 1;
constexpr std::string_view kTpmSlotMagic = "CVTPMSLT";
constexpr std::uint32_t kTpmSlots = 2;
constexpr std::uint16_t kNoRoot = 0;
constexpr std::uint16_t kHoldsRoot = 1;
// magic, version, number, state, 0, epoch, root or filler, commitment or digest, check
constexpr std::size_t kTpmSlotBytes = 8 + 2 + 2 + 2 + 2 + 8 + 32 + 32 + 32;
static_assert(kTpmSlotBytes == 120);

constexpr std::string_view kPlaceTitle = "callvault tpm keeper v1 ";
constexpr const char* kPlaceFile = "tpm";
constexpr const char* kAuthFile = "tpm.auth";
constexpr std::uint32_t kFirstIndex = 0x01000000, kLastIndex = 0x01ffffff;

std::string index_text(std::uint32_t index) {
  const std::array<std::byte, 4> bytes{std::byte(index >> 24U), std::byte(index >> 16U), std::byte(index >> 8U),
                                       std::byte(index)};
  return "0x" + base::to_hex(bytes);
}

std::string check_of_line(std::string_view line) {
  const auto hash = crypto::blake2b(base::as_bytes(line));
  return base::to_hex(base::ByteView(hash).first(8));
}

// One line: where the indices are, and a check that finds damage.
std::string place_line(const TpmPlace& place) {
  const std::string line = std::string(kPlaceTitle) + index_text(place.index) + " " +
                           (place.tcti.empty() ? "-" : base::to_hex(base::as_bytes(place.tcti))) + " ";
  return line + check_of_line(line) + "\n";
}

Result<std::uint32_t> parse_index(std::string_view text) {
  std::uint32_t value = 0;
  if (text.starts_with("0x")) text.remove_prefix(2);
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, 16);
  if (error != std::errc() || end != text.data() + text.size() || value < kFirstIndex || value >= kLastIndex)
    return fail(Errc::usage, "a TPM keeper lies at an NV index from 0x01000000 to 0x01fffffe");
  return value;
}

Result<TpmPlace> read_place(const os::Path& folder) {
  CALLVAULT_TRY_ASSIGN(const auto bytes, os::read_file(folder / kPlaceFile, 8192));
  const std::string text(base::as_text(bytes));
  const Error damaged = fail(Errc::corrupt, "the keeper's description is damaged: " + (folder / kPlaceFile).string());
  if (text.starts_with("callvault tpm keeper v") && !text.starts_with(kPlaceTitle))
    return fail(Errc::newer_version, "a keeper of a newer version: " + folder.string());
  if (!text.starts_with(kPlaceTitle)) return damaged;
  const std::string rest = text.substr(kPlaceTitle.size());
  const auto first = rest.find(' '), second = rest.find(' ', first + 1);
  if (first == std::string::npos || second == std::string::npos) return damaged;
  TpmPlace out;
  const auto index = parse_index(rest.substr(0, first));
  const std::string tcti = rest.substr(first + 1, second - first - 1);
  const auto tcti_bytes = tcti == "-" ? std::optional(base::Bytes()) : base::from_hex(tcti);
  if (!index || !tcti_bytes) return damaged;
  out.index = *index;
  out.tcti = base::as_text(*tcti_bytes);
  if (place_line(out) != text) return damaged;
  return out;
}

crypto::Digest tpm_filler_digest(base::ByteView filler) {
  crypto::Hasher hasher;
  hasher.add(base::as_bytes("callvault v1 keeper filler"));
  hasher.add(filler);
  return hasher.finish();
}

Result<crypto::SecretBuffer> encode_slot(std::uint32_t number, std::uint16_t state, std::uint64_t epoch,
                                         base::ByteView content, const crypto::Digest& digest) {
  CALLVAULT_TRY_ASSIGN(auto out, crypto::SecretBuffer::make(kTpmSlotBytes));
  base::FieldWriter fields(out.reveal_mutable());
  fields.bytes(base::as_bytes(kTpmSlotMagic));
  fields.number(kTpmSlotVersion);
  fields.number(static_cast<std::uint16_t>(number));
  fields.number(state);
  fields.number(std::uint16_t{0});
  fields.number(epoch);
  fields.bytes(content);
  fields.bytes(digest);
  fields.bytes(crypto::blake2b(out.reveal().first(fields.used())));
  return out;
}

}  // namespace

struct TpmKeeper::Slot {
  std::optional<KeeperSlot> content;
};

Result<std::optional<TpmPlace>> parse_tpm_place(const std::string& text) {
  constexpr std::string_view kTpmPrefix = "tpm:";
  if (!text.starts_with(kTpmPrefix)) return std::optional<TpmPlace>();
  const std::string rest = text.substr(kTpmPrefix.size());
  const auto comma = rest.find(',');
  CALLVAULT_TRY_ASSIGN(const auto index, parse_index(rest.substr(0, comma)));
  const std::string tcti = comma == std::string::npos ? "" : rest.substr(comma + 1);
  if (tcti.size() > 1024) return fail(Errc::usage, "the TPM's connection is too long");
  return std::optional(TpmPlace{index, tcti});
}

Result<std::unique_ptr<TpmKeeper>> TpmKeeper::create(const os::Path& folder, const TpmPlace& place, Connect connect) {
  if (os::exists(folder / kPlaceFile) || os::exists(folder / "root"))
    return fail(Errc::refused, "a keeper is there already: " + folder.string());
  CALLVAULT_TRY_ASSIGN(auto auth, crypto::SecretBuffer::make(os::kTpmAuthBytes));
  crypto::fill_random(auth.reveal_mutable());
  CALLVAULT_TRY_ASSIGN(auto chip, connect(place.tcti, auth.reveal()));
  for (std::uint32_t i = 0; i < kTpmSlots; ++i) {
    CALLVAULT_TRY_ASSIGN(const bool used, chip->exists(place.index + i));
    if (used) return fail(Errc::refused, "NV index " + index_text(place.index + i) + " of the TPM is in use already");
  }
  CALLVAULT_TRY(os::make_folder(folder, 0700));
  CALLVAULT_TRY(os::write_new_file(folder / kAuthFile, auth.reveal()));
  std::unique_ptr<TpmKeeper> keeper(new TpmKeeper(std::move(chip), place));
  auto made = [&]() -> Result<void> {
    for (std::uint32_t i = 0; i < kTpmSlots; ++i) {
      CALLVAULT_TRY(keeper->chip_->define(place.index + i, kTpmSlotBytes));
      CALLVAULT_TRY(keeper->wipe_slot(i));
    }
    // Last: a folder without it is no keeper.
    CALLVAULT_TRY(os::write_new_file(folder / kPlaceFile, base::as_bytes(place_line(place))));
    CALLVAULT_TRY(os::sync_folder(folder));
    return os::sync_folder(folder.has_parent_path() ? folder.parent_path() : os::Path("."));
  }();
  if (made) return keeper;
  for (std::uint32_t i = 0; i < kTpmSlots; ++i) (void)keeper->chip_->undefine(place.index + i);
  (void)os::remove_file(folder / kPlaceFile);
  (void)os::remove_file(folder / kAuthFile);
  (void)os::remove_folder(folder);
  return std::move(made).error();
}

Result<std::unique_ptr<TpmKeeper>> TpmKeeper::open(const os::Path& folder, Connect connect) {
  CALLVAULT_TRY_ASSIGN(TpmPlace place, read_place(folder));
  CALLVAULT_TRY_ASSIGN(auto auth, crypto::SecretBuffer::make(os::kTpmAuthBytes));
  {
    const auto file = os::File::open_read(folder / kAuthFile);
    if (!file && file.error().code == Errc::not_found)
      return fail(Errc::corrupt, "the keeper's auth value is missing: " + (folder / kAuthFile).string());
    if (!file) return file.error();
    CALLVAULT_TRY_ASSIGN(const auto got, file->read_at(auth.reveal_mutable(), 0));
    if (got != auth.size())
      return fail(Errc::corrupt, "the keeper's auth value is damaged: " + (folder / kAuthFile).string());
  }
  CALLVAULT_TRY_ASSIGN(auto chip, connect(place.tcti, auth.reveal()));
  return std::unique_ptr<TpmKeeper>(new TpmKeeper(std::move(chip), std::move(place)));
}

void TpmKeeper::take_back(const os::Path& folder, Connect connect) {
  if (auto keeper = open(folder, connect))
    for (std::uint32_t i = 0; i < kTpmSlots; ++i) (void)(*keeper)->chip_->undefine((*keeper)->place_.index + i);
  (void)os::remove_file(folder / kPlaceFile);
  (void)os::remove_file(folder / kAuthFile);
  (void)os::remove_folder(folder);
}

std::string TpmKeeper::name() const {
  return "NV index " + index_text(place_.index) + (place_.tcti.empty() ? "" : " of " + place_.tcti);
}

// One whole write, read back and compared: the chip's memory knows no half of it, and a torn one shows by its check.
Result<void> TpmKeeper::store_slot(std::uint32_t number, const crypto::SecretBuffer& content) {
  CALLVAULT_TRY(chip_->write(place_.index + number, content.reveal()));
  CALLVAULT_TRY_ASSIGN(auto back, crypto::SecretBuffer::make(kTpmSlotBytes));
  CALLVAULT_TRY(chip_->read(place_.index + number, back.reveal_mutable()));
  if (!crypto::equal(back.reveal(), content.reveal()))
    return fail(Errc::io, "the TPM gives back something else than was written: " + name());
  return {};
}

Result<void> TpmKeeper::wipe_slot(std::uint32_t number) {
  std::array<std::byte, 32> filler{};
  crypto::fill_random(filler);
  CALLVAULT_TRY_ASSIGN(const auto content, encode_slot(number, kNoRoot, 0, filler, tpm_filler_digest(filler)));
  return store_slot(number, content);
}

Result<TpmKeeper::Slot> TpmKeeper::load_slot(std::uint32_t number) {
  const std::string what = "slot " + std::to_string(number) + " of the keeper in " + name();
  CALLVAULT_TRY_ASSIGN(auto bytes, crypto::SecretBuffer::make(kTpmSlotBytes));
  if (auto got = chip_->read(place_.index + number, bytes.reveal_mutable()); !got) {
    if (got.error().code != Errc::not_found) return std::move(got).error();
    return fail(Errc::corrupt, what + " is missing: the TPM was cleared, or is another");
  }
  base::FieldReader fields(bytes.reveal());
  const bool magic = base::as_text(fields.bytes(kTpmSlotMagic.size())) == kTpmSlotMagic;
  const auto version = fields.number<std::uint16_t>();
  if (magic && version > kTpmSlotVersion) return fail(Errc::newer_version, what + " is of a newer version");
  const auto stored = fields.number<std::uint16_t>();
  const auto state = fields.number<std::uint16_t>();
  const auto reserved = fields.number<std::uint16_t>();
  const auto epoch = fields.number<std::uint64_t>();
  const auto content = fields.bytes(crypto::Key::kBytes);
  const auto digest = fields.array<32>();
  const auto check = crypto::blake2b(bytes.reveal().first(fields.used()));
  if (!magic || version != kTpmSlotVersion || stored != number || reserved != 0 || state > kHoldsRoot ||
      fields.array<32>() != check)
    return fail(Errc::corrupt, what + " is damaged");
  if (state == kNoRoot) return Slot{};
  CALLVAULT_TRY_ASSIGN(crypto::Key root, crypto::Key::copy_of(content));
  CALLVAULT_TRY_ASSIGN(const auto commitment, keeper_commitment(root));
  if (!crypto::equal(commitment, digest)) return fail(Errc::corrupt, what + " is damaged");
  return Slot{KeeperSlot{epoch, commitment, std::move(root)}};
}

Result<std::vector<KeeperSlot>> TpmKeeper::read() {
  std::vector<KeeperSlot> out;
  std::optional<Error> damage;
  for (std::uint32_t i = 0; i < kTpmSlots; ++i) {
    auto slot = load_slot(i);
    if (!slot && slot.error().code != Errc::corrupt) return std::move(slot).error();
    if (!slot)
      damage = std::move(slot).error();
    else if (slot->content)
      out.push_back(std::move(*slot->content));
  }
  if (out.empty() && damage) return *damage;
  if (out.empty()) return fail(Errc::corrupt, "the keeper holds no root key: " + name());
  return out;
}

Result<bool> TpmKeeper::unfinished() {
  for (std::uint32_t i = 0; i < kTpmSlots; ++i) CALLVAULT_TRY(load_slot(i));  // a slot is written at once
  return false;
}

Result<std::uint32_t> TpmKeeper::find_sound_slot(std::uint64_t epoch) {
  std::string why;
  for (std::uint32_t i = 0; i < kTpmSlots; ++i) {
    const auto slot = load_slot(i);
    if (!slot && slot.error().code != Errc::corrupt) return slot.error();
    if (!slot) why = "; " + slot.error().message;
    if (slot && slot->content && slot->content->epoch == epoch) return i;
  }
  return fail(Errc::corrupt,
              "the keeper holds no sound root key of epoch " + std::to_string(epoch) + ": " + name() + why);
}

Result<KeeperSlot> TpmKeeper::stage(std::uint64_t epoch, std::optional<std::uint64_t> current_epoch) {
  if (current_epoch && epoch <= *current_epoch) return fail(Errc::usage, "the next epoch must follow the present one");
  std::uint32_t target = 0;
  if (current_epoch) {
    CALLVAULT_TRY_ASSIGN(const auto current, find_sound_slot(*current_epoch));
    target = 1 - current;
  } else {
    for (std::uint32_t i = 0; i < kTpmSlots; ++i) {
      CALLVAULT_TRY_ASSIGN(const Slot slot, load_slot(i));
      if (slot.content) return fail(Errc::refused, "the keeper holds a root key already: " + name());
    }
  }
  CALLVAULT_TRY(wipe_slot(target));
  CALLVAULT_TRY_ASSIGN(crypto::Key root, crypto::Key::random());
  CALLVAULT_TRY_ASSIGN(const auto commitment, keeper_commitment(root));
  CALLVAULT_TRY_ASSIGN(const auto content, encode_slot(target, kHoldsRoot, epoch, root.reveal(), commitment));
  CALLVAULT_TRY(store_slot(target, content));
  return KeeperSlot{epoch, commitment, std::move(root)};
}

Result<void> TpmKeeper::wipe_all_but(std::uint64_t epoch) {
  CALLVAULT_TRY_ASSIGN(const auto keep, find_sound_slot(epoch));
  const auto other = load_slot(1 - keep);
  if (!other && other.error().code != Errc::corrupt) return other.error();
  if (other && !other->content) return {};
  return wipe_slot(1 - keep);
}

Result<void> TpmKeeper::wipe_all() {
  for (std::uint32_t i = 0; i < kTpmSlots; ++i) CALLVAULT_TRY(wipe_slot(i));
  return {};
}

KeeperDescription TpmKeeper::describe() const {
  return {"tpm", name(), "TPM", true, "", std::string(kLogicallyErased)};
}

}  // namespace callvault::keys
