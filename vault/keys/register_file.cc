#include "keys/register_file.h"

#include <algorithm>
#include <string>

#include "crypto/aead.h"

namespace callvault::keys {
namespace {

constexpr std::string_view kRegisterMagic = "CVREGIST";
constexpr std::uint16_t kRegisterVersion = 1;
constexpr std::size_t kFixedBytes = 8 + 2 + 2 + 4 + 8 + 2;

base::Bytes header_of(std::string_view name, std::uint64_t generation) {
  base::Bytes out(kFixedBytes + name.size());
  base::FieldWriter w(out);
  w.bytes(base::as_bytes(kRegisterMagic));
  w.number(kRegisterVersion);
  w.number(std::uint16_t{0});
  w.number(std::uint32_t{0});
  w.number(generation);
  w.text(name);
  return out;
}

std::string title(std::string_view name, std::uint64_t generation) {
  return "keys/registers/" + std::string(name) + "." + std::to_string(generation);
}

}  // namespace

Result<base::Bytes> seal_register(base::ByteView plain, std::string_view name, std::uint64_t generation,
                                  const crypto::Key& key) {
  base::Bytes out = header_of(name, generation);
  if (out.size() + plain.size() + crypto::kSealOverhead > kMaxRegisterBytes)
    return fail(Errc::refused, "the register " + std::string(name) + " would be too large");
  CALLVAULT_TRY_ASSIGN(const auto sealing, key.derive("callvault v1 register"));
  const auto sealed = crypto::seal(sealing, out, plain);
  out.insert(out.end(), sealed.begin(), sealed.end());
  return out;
}

Result<base::Bytes> open_register(base::ByteView file, std::string_view name, std::uint64_t generation,
                                  const crypto::Key& key) {
  base::FieldReader r(file);
  const bool magic = base::as_text(r.bytes(kRegisterMagic.size())) == kRegisterMagic;
  const auto version = r.number<std::uint16_t>();
  if (magic && r.ok() && version > kRegisterVersion)
    return fail(Errc::newer_version, title(name, generation) + " is of a newer version");
  const base::Bytes header = header_of(name, generation);
  if (file.size() < header.size() || !std::equal(header.begin(), header.end(), file.begin()))
    return fail(Errc::corrupt, title(name, generation) + " is damaged");
  CALLVAULT_TRY_ASSIGN(const auto sealing, key.derive("callvault v1 register"));
  return crypto::open_plain(sealing, header, file.subspan(header.size()), title(name, generation));
}

}  // namespace callvault::keys
