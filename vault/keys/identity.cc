#include "keys/identity.h"

#include <algorithm>
#include <atomic>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "crypto/aead.h"
#include "crypto/hash.h"

namespace callvault::keys {
namespace {

using crypto::Key;
using Json = nlohmann::json;

constexpr std::uint32_t kIdentityVersion = 1;
constexpr std::string_view kWrapLabel = "callvault v1 identity";
constexpr std::string_view kGrantLabel = "callvault v1 review grant";
constexpr std::size_t kWrappedBytes = 2 * Key::kBytes + crypto::kSealOverhead;
constexpr std::size_t kGrantBytes = Key::kBytes + crypto::kBoxOverhead;

std::atomic<std::uint64_t> derivations{0};

struct Grant {
  std::uint32_t number = 0;
  Bytes sealed;
};

struct Parsed {
  PublicIdentity public_part;
  crypto::PassphraseCost cost;
  crypto::Salt salt{};
  Bytes wrapped;
  std::vector<Grant> ring;  // ascending numbers
};

Error damaged_identity(std::string_view name, std::string_view what) {
  return fail(Errc::corrupt, "the identity of " + std::string(name) + " is damaged: " + std::string(what));
}

Error wrong_passphrase() { return fail(Errc::wrong_passphrase, "wrong passphrase, or no such person"); }

bool bearable(crypto::PassphraseCost cost) {
  const auto work = [](crypto::PassphraseCost c) { return std::uint64_t{c.passes} * c.memory_kib; };
  return cost.passes >= 1 && cost.passes <= 4 * crypto::kDefaultCost.passes && cost.memory_kib >= 8 &&
         cost.memory_kib <= 4 * crypto::kDefaultCost.memory_kib && work(cost) <= 4 * work(crypto::kDefaultCost);
}

Result<Key> derive_counted(const Passphrase& passphrase, const crypto::Salt& salt, crypto::PassphraseCost cost) {
  derivations.fetch_add(1, std::memory_order_relaxed);
  return crypto::key_from_passphrase(passphrase.reveal(), salt, cost);
}

std::optional<std::uint32_t> number_of(const Json& object, const char* field) {
  const auto at = object.find(field);
  if (at == object.end() || !at->is_number_unsigned() || at->get<std::uint64_t>() > 0xffffffff) return std::nullopt;
  return static_cast<std::uint32_t>(at->get<std::uint64_t>());
}

std::optional<Bytes> bytes_of(const Json& object, const char* field, std::size_t size) {
  const auto at = object.find(field);
  if (at == object.end() || !at->is_string()) return std::nullopt;
  auto out = base::from_base64(at->get_ref<const std::string&>());
  if (!out || out->size() != size) return std::nullopt;
  return out;
}

template <std::size_t N>
bool copy_field(const Json& object, const char* field, std::array<std::byte, N>& out) {
  const auto bytes = bytes_of(object, field, N);
  if (bytes) std::copy(bytes->begin(), bytes->end(), out.begin());
  return bytes.has_value();
}

// What nobody knows may be a damaged name of what somebody needs.
Result<void> require_known(const Json& object, std::initializer_list<std::string_view> known, std::string_view name) {
  for (const auto& [field, value] : object.items()) {
    if (std::find(known.begin(), known.end(), field) != known.end()) continue;
    const std::string shown = base::is_plain_name(field, kMaxPersonNameBytes) ? " '" + field + "'" : "";
    return damaged_identity(name, "it has an unknown field" + shown + "; bring back people/ of a backup");
  }
  return {};
}

Result<std::vector<Grant>> parse_ring(const Json& object, std::string_view name) {
  std::vector<Grant> ring;
  const auto at = object.find("review_ring");
  if (at == object.end() || !at->is_array() || at->size() > kMaxReviewKeys)
    return damaged_identity(name, "review_ring");
  for (const Json& one : *at) {
    if (!one.is_object()) return damaged_identity(name, "review_ring");
    CALLVAULT_TRY(require_known(one, {"number", "sealed"}, name));
    const auto number = number_of(one, "number");
    auto sealed = bytes_of(one, "sealed", kGrantBytes);
    if (!number || !sealed || (!ring.empty() && *number <= ring.back().number))
      return damaged_identity(name, "review_ring");
    ring.push_back({*number, std::move(*sealed)});
  }
  return ring;
}

Result<Parsed> parse(ByteView file, std::string_view expected_name) {
  if (file.size() > kMaxIdentityBytes) return damaged_identity(expected_name, "too large");
  const auto text = base::as_text(file);
  const Json object = Json::parse(text.begin(), text.end(), nullptr, false);
  if (!object.is_object()) return damaged_identity(expected_name, "not JSON");
  const auto version = number_of(object, "version");
  if (!version || *version == 0) return damaged_identity(expected_name, "version");
  if (*version > kIdentityVersion)
    return fail(Errc::newer_version, "the identity of " + std::string(expected_name) + " is of a newer version");

  Parsed out;
  const auto name = object.find("name");
  if (name == object.end() || !name->is_string()) return damaged_identity(expected_name, "name");
  out.public_part.name = name->get<std::string>();
  if (!base::is_plain_name(out.public_part.name, kMaxPersonNameBytes)) return damaged_identity(expected_name, "name");
  if (!expected_name.empty() && out.public_part.name != expected_name)
    return damaged_identity(expected_name, "it is somebody else's");
  const std::string_view known = out.public_part.name;
  CALLVAULT_TRY(require_known(object, {"version", "name", "kdf", "wrapped", "signing", "box", "review_ring"}, known));

  const auto kdf = object.find("kdf");
  if (kdf == object.end() || !kdf->is_object()) return damaged_identity(known, "kdf");
  CALLVAULT_TRY(require_known(*kdf, {"passes", "memory_kib", "salt"}, known));
  const auto passes = number_of(*kdf, "passes");
  const auto memory_kib = number_of(*kdf, "memory_kib");
  if (!passes || !memory_kib || !copy_field(*kdf, "salt", out.salt)) return damaged_identity(known, "kdf");
  out.cost = {*passes, *memory_kib};
  if (!bearable(out.cost)) return damaged_identity(known, "the passphrase cost is out of bounds");

  auto wrapped = bytes_of(object, "wrapped", kWrappedBytes);
  if (!wrapped) return damaged_identity(known, "wrapped");
  out.wrapped = std::move(*wrapped);
  if (!copy_field(object, "signing", out.public_part.signing)) return damaged_identity(known, "signing");
  if (!copy_field(object, "box", out.public_part.box)) return damaged_identity(known, "box");
  CALLVAULT_TRY_ASSIGN(out.ring, parse_ring(object, known));
  return out;
}

Bytes format(const Parsed& parsed) {
  Json object;
  object["version"] = kIdentityVersion;
  object["name"] = parsed.public_part.name;
  object["kdf"] = {
      {"passes", parsed.cost.passes}, {"memory_kib", parsed.cost.memory_kib}, {"salt", base::to_base64(parsed.salt)}};
  object["wrapped"] = base::to_base64(parsed.wrapped);
  object["signing"] = base::to_base64(parsed.public_part.signing);
  object["box"] = base::to_base64(parsed.public_part.box);
  object["review_ring"] = Json::array();
  for (const Grant& grant : parsed.ring)
    object["review_ring"].push_back({{"number", grant.number}, {"sealed", base::to_base64(grant.sealed)}});
  return base::to_bytes(base::as_bytes(object.dump(2) + "\n"));
}

// The private keys open only in the file of their owner, beside the public keys they were made with.
Bytes wrap_context(const PublicIdentity& who) {
  Bytes out(kWrapLabel.size() + 1 + 2 + who.name.size() + who.signing.size() + who.box.size());
  base::FieldWriter fields(out);
  fields.bytes(base::as_bytes(kWrapLabel));
  fields.zeros(1);
  fields.text(who.name);
  fields.bytes(who.signing);
  fields.bytes(who.box);
  return out;
}

Bytes grant_context(std::string_view name, std::uint32_t number) {
  Bytes out(2 + name.size() + sizeof number);
  base::FieldWriter fields(out);
  fields.text(name);
  fields.number(number);
  return out;
}

Result<void> wrap(Parsed& parsed, const Key& signing_seed, const Key& box_secret, const Passphrase& passphrase) {
  parsed.salt = crypto::random_salt();
  CALLVAULT_TRY_ASSIGN(const Key key, derive_counted(passphrase, parsed.salt, parsed.cost));
  CALLVAULT_TRY_ASSIGN(auto both, crypto::SecretBuffer::make(2 * Key::kBytes));
  base::FieldWriter fields(both.reveal_mutable());
  fields.bytes(signing_seed.reveal());
  fields.bytes(box_secret.reveal());
  parsed.wrapped = crypto::seal(key, wrap_context(parsed.public_part), both.reveal());
  return {};
}

}  // namespace

struct IdentityMaker {
  static Identity make(PublicIdentity who, Key signing_seed, Key box_secret) {
    return {std::move(who), std::move(signing_seed), std::move(box_secret)};
  }

  static Result<Identity> unlock(const Parsed& parsed, const Passphrase& passphrase) {
    const PublicIdentity& who = parsed.public_part;
    CALLVAULT_TRY_ASSIGN(const Key key, derive_counted(passphrase, parsed.salt, parsed.cost));
    const auto both = crypto::open(key, wrap_context(who), parsed.wrapped, "the identity");
    if (!both) return both.error().code == Errc::corrupt ? wrong_passphrase() : both.error();
    CALLVAULT_TRY_ASSIGN(Key signing_seed, Key::copy_of(both->reveal().first(Key::kBytes)));
    CALLVAULT_TRY_ASSIGN(Key box_secret, Key::copy_of(both->reveal().subspan(Key::kBytes)));
    CALLVAULT_TRY_ASSIGN(const auto box, crypto::public_key_of(box_secret));
    if (box != who.box || crypto::signing_public_key(signing_seed) != who.signing)
      return damaged_identity(who.name, "its private and public keys do not belong together");
    Identity out = make(who, std::move(signing_seed), std::move(box_secret));
    for (const Grant& grant : parsed.ring) {
      const auto opened = crypto::open_from(*out.box_secret_, nullptr, kGrantLabel,
                                            grant_context(who.name, grant.number), grant.sealed, "a review grant");
      if (!opened && opened.error().code != Errc::corrupt) return opened.error();
      if (!opened) return damaged_identity(who.name, "the grant of review key " + std::to_string(grant.number));
      CALLVAULT_TRY_ASSIGN(Key review, Key::copy_of(opened->reveal()));
      out.ring_.emplace_back(grant.number, std::move(review));
    }
    return out;
  }
};

Result<const Key*> Identity::review_key(std::uint32_t number) const {
  for (const auto& [one, key] : ring_)
    if (one == number) return &key;
  return fail(Errc::refused, name() + " was not granted review key " + std::to_string(number));
}

Result<NewIdentity> make_identity_file(std::string_view name, const Passphrase& passphrase,
                                       crypto::PassphraseCost cost) {
  if (!base::is_plain_name(name, kMaxPersonNameBytes))
    return fail(Errc::usage, "a person's name is 1 to 64 of a-z 0-9 - _ . without a leading dot");
  if (!bearable(cost)) return fail(Errc::usage, "the passphrase cost is out of bounds");
  CALLVAULT_TRY_ASSIGN(Key signing_seed, Key::random());
  CALLVAULT_TRY_ASSIGN(crypto::KeyPair box, crypto::make_key_pair());
  Parsed parsed;
  parsed.public_part = {std::string(name), crypto::signing_public_key(signing_seed), box.public_key};
  parsed.cost = cost;
  CALLVAULT_TRY(wrap(parsed, signing_seed, box.secret, passphrase));
  return NewIdentity{format(parsed),
                     IdentityMaker::make(parsed.public_part, std::move(signing_seed), std::move(box.secret))};
}

Result<Identity> unlock_identity(ByteView file, std::string_view name, const Passphrase& passphrase) {
  CALLVAULT_TRY_ASSIGN(const Parsed parsed, parse(file, name));
  return IdentityMaker::unlock(parsed, passphrase);
}

Result<void> spend_passphrase_cost(const Passphrase& passphrase, crypto::PassphraseCost cost) {
  CALLVAULT_TRY_ASSIGN(const Key unused, derive_counted(passphrase, crypto::random_salt(), cost));
  return wrong_passphrase();
}

Result<IdentityFacts> inspect_identity(ByteView file, std::string_view name) {
  CALLVAULT_TRY_ASSIGN(Parsed parsed, parse(file, name));
  IdentityFacts facts{std::move(parsed.public_part), parsed.cost, {}};
  for (const Grant& grant : parsed.ring) facts.review_numbers.push_back(grant.number);
  return facts;
}

Result<Bytes> with_new_passphrase(ByteView file, const Passphrase& old, const Passphrase& fresh,
                                  std::optional<crypto::PassphraseCost> cost) {
  CALLVAULT_TRY_ASSIGN(Parsed parsed, parse(file, {}));
  CALLVAULT_TRY_ASSIGN(const Identity identity, IdentityMaker::unlock(parsed, old));
  if (cost) parsed.cost = *cost;
  if (!bearable(parsed.cost)) return fail(Errc::usage, "the passphrase cost is out of bounds");
  CALLVAULT_TRY(wrap(parsed, identity.signing_seed(), identity.box_secret(), fresh));
  return format(parsed);
}

Result<void> check_rewrapped(ByteView file, ByteView fresh, std::string_view name) {
  CALLVAULT_TRY_ASSIGN(Parsed before, parse(file, name));
  CALLVAULT_TRY_ASSIGN(const Parsed after, parse(fresh, name));
  before.salt = after.salt;
  before.wrapped = after.wrapped;
  if (format(before) != format(after))
    return fail(Errc::refused, "more than the passphrase would change in the identity of " + std::string(name));
  return {};
}

Result<Bytes> seal_review_key(const PublicIdentity& owner, std::uint32_t number, const Key& review_private) {
  return crypto::seal_to(owner.box, nullptr, kGrantLabel, grant_context(owner.name, number), review_private.reveal());
}

Result<Bytes> with_sealed_review_key(ByteView file, std::uint32_t number, ByteView sealed,
                                     const PublicIdentity* expected) {
  CALLVAULT_TRY_ASSIGN(Parsed parsed, parse(file, {}));
  const PublicIdentity& who = parsed.public_part;
  if (expected != nullptr && *expected != who)
    return fail(Errc::refused, "the identity of " + expected->name + " is not the one that was registered");
  if (sealed.size() != kGrantBytes)
    return fail(Errc::refused, "a grant of a review key to " + who.name + " is malformed");
  const auto at = std::lower_bound(parsed.ring.begin(), parsed.ring.end(), number,
                                   [](const Grant& grant, std::uint32_t wanted) { return grant.number < wanted; });
  if (at != parsed.ring.end() && at->number == number) {
    at->sealed = base::to_bytes(sealed);
  } else {
    if (parsed.ring.size() >= kMaxReviewKeys) return fail(Errc::refused, "too many review keys for " + who.name);
    parsed.ring.insert(at, Grant{number, base::to_bytes(sealed)});
  }
  return format(parsed);
}

Result<Bytes> with_review_key(ByteView file, std::uint32_t number, const Key& review_private,
                              const PublicIdentity* expected) {
  CALLVAULT_TRY_ASSIGN(const Parsed parsed, parse(file, {}));
  CALLVAULT_TRY_ASSIGN(const Bytes sealed, seal_review_key(parsed.public_part, number, review_private));
  return with_sealed_review_key(file, number, sealed, expected);
}

Result<Bytes> without_review_keys(ByteView file) {
  CALLVAULT_TRY_ASSIGN(Parsed parsed, parse(file, {}));
  parsed.ring.clear();
  return format(parsed);
}

std::uint64_t passphrase_derivations() { return derivations.load(std::memory_order_relaxed); }

}  // namespace callvault::keys
